using System.Collections.Immutable;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>What an installer is told, and how. It holds secrets.</summary>
internal sealed record Seed
{
    private Seed()
    {
    }

    public required SeedKind Kind { get; init; }

    /// <summary>The family of systems that it was composed for; null if nobody knows.</summary>
    public required SeedProfile? Profile { get; init; }

    public required SeedCarrier Carrier { get; init; }

    /// <summary>The volume's label; null where there is no volume.</summary>
    public required string? Label { get; init; }

    public required SeedFileSystem FileSystem { get; init; }

    /// <summary>Its documents. They hold secrets.</summary>
    public required ImmutableArray<SeedDocument> Documents { get; init; }

    /// <summary>Files that ride along as they are.</summary>
    public required ImmutableArray<ExtraFile> Files { get; init; }

    /// <summary>What the installer's kernel is told; empty for nothing.</summary>
    public required string KernelArguments { get; init; }

    /// <summary>Where in its documents there are secrets: `stylus.site.edgeHostToken`.</summary>
    public required ImmutableArray<string> SecretPaths { get; init; }

    /// <summary>The secrets themselves, for whoever has to keep them out of what is shown.</summary>
    public required ImmutableArray<Secret> Secrets { get; init; }

    /// <summary>Whether the machine starts with the installer's kernel.</summary>
    public required KernelNeed Kernel { get; init; }

    /// <param name="files">The files that it names.</param>
    /// <param name="profile">The family of systems; null if nobody knows.</param>
    /// <param name="instanceId">Fresh for each build.</param>
    /// <exception cref="CrustException"><see cref="FailureKind.HostLacks"/>: there is a password and no libcrypt.</exception>
    public static Seed Compose(BuildSpec spec, SeedFiles files, SeedProfile? profile, Guid instanceId)
    {
        var contents = SeedKinds.Compose(new SeedRequest(spec, files, profile, Sha512Crypt.SaltFor("image", $"{instanceId:N}", spec.Seed.Ssh.User ?? ""), instanceId));
        return new Seed
        {
            Kind = spec.Seed.Kind,
            Profile = profile,
            Carrier = contents.Carrier,
            // FAT has labels in capitals, and all readers know it.
            Label = spec.Seed.FileSystem is SeedFileSystem.Vfat ? contents.Label?.ToUpperInvariant() : contents.Label,
            FileSystem = spec.Seed.FileSystem,
            Documents = contents.Documents,
            Files = contents.Carrier is SeedCarrier.Iso || contents.Label is not null ? spec.Seed.Files : [],
            KernelArguments = contents.KernelArguments,
            SecretPaths = [.. contents.Documents.SelectMany(SeedSecrets.PathsIn), .. files.ExtraFiles.SelectMany(file => file.SecretNames.Select(name => $"{file.Role}: {name}"))],
            Secrets = [.. contents.Documents.SelectMany(SeedSecrets.In).Concat(files.ExtraFiles.SelectMany(file => file.Secrets)).Distinct().Select(value => new Secret(value))],
            Kernel = contents.Kernel,
        };
    }

    /// <summary>What it is, without what it holds.</summary>
    public override string ToString() => $"a {Kind.LowerName()} seed of {string.Join(", ", Documents)}";
}
