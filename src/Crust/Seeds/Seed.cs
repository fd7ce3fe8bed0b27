using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>What an installer is told, and how. It holds secrets.</summary>
public sealed record Seed
{
    private Seed()
    {
    }

    /// <summary>The way of telling it.</summary>
    public required SeedKind Kind { get; init; }

    /// <summary>The family of systems that it was composed for; null if nobody knows.</summary>
    public required SeedProfile? Profile { get; init; }

    /// <summary>What carries its documents.</summary>
    public required SeedCarrier Carrier { get; init; }

    /// <summary>The volume's label; null where there is no volume.</summary>
    public required string? Label { get; init; }

    /// <summary>The volume's file system.</summary>
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

    /// <summary>
    /// 64 hex digits that change with all that the installer is told, and not with what differs from build to build (the instance-id
    /// and the password's salt): the seed's part of the build key. It doesn't help to guess a secret
    /// (docs/decisions/password-salt.md).
    /// </summary>
    public required string KeyMaterial { get; init; }

    /// <summary>Composes a seed.</summary>
    /// <param name="spec">The build spec.</param>
    /// <param name="files">The files that it names.</param>
    /// <param name="profile">The family of systems; null if nobody knows.</param>
    /// <param name="keyContext">Salts the password inside <see cref="KeyMaterial"/>: something that says which images these are, such as the installer's SHA-256; one line.</param>
    /// <param name="instanceId">Fresh for each build.</param>
    /// <exception cref="CrustException"><see cref="FailureKind.HostLacks"/>: there is a password and no libcrypt.</exception>
    public static Seed Compose(BuildSpec spec, SeedFiles files, SeedProfile? profile, string keyContext, Guid instanceId)
    {
        var contents = ContentsFor("image", $"{instanceId:N}", spec, files, profile, instanceId);
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
            KeyMaterial = KeyMaterialOf(spec, files, profile, keyContext),
        };
    }

    /// <summary>What it is, without what it holds.</summary>
    public override string ToString() => $"a {Kind.LowerName()} seed of {string.Join(", ", Documents)}";

    /// <summary>The <see cref="KeyMaterial"/> of the seed that <see cref="Compose"/> would make of the same.</summary>
    public static string KeyMaterialOf(BuildSpec spec, SeedFiles files, SeedProfile? profile, string keyContext) =>
        Digest(spec.Seed, ContentsFor("build key", keyContext, spec, files, profile, Guid.Empty), files);

    private static SeedContents ContentsFor(string purpose, string context, BuildSpec spec, SeedFiles files, SeedProfile? profile, Guid instanceId) =>
        SeedKinds.Compose(new SeedRequest(spec, files, profile, Sha512Crypt.SaltFor(purpose, context, spec.Seed.Ssh.User ?? ""), instanceId));

    private static string Digest(SeedSpec spec, SeedContents keyed, SeedFiles files)
    {
        string[] parts =
        [
            spec.Kind.LowerName(),
            keyed.Label is not null ? spec.FileSystem.LowerName() : "",
            keyed.KernelArguments,
            .. keyed.Documents.Where(document => !document.IsFresh).SelectMany(document => new[] { document.Name, document.Text }),
            .. files.ExtraFiles.SelectMany(file => new[] { file.Role, file.Sha256 }),
        ];
        // With its length before it, no text can pass for the end of one and the beginning of the next.
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"seed 3 {string.Concat(parts.Select(text => $"{text.Length}:{text}"))}")));
    }
}
