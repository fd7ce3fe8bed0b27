using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>What an installer is told, and how. It holds secrets.</summary>
internal sealed record Seed
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
    /// and the password's salt): the seed's part of the build key. Secrets are masked in it, so that it tells nothing of them
    /// (docs/decisions/build-key-secrets.md).
    /// </summary>
    public required string KeyMaterial { get; init; }

    /// <summary>The same with its secrets, which leaves this machine in no form; null if there are none.</summary>
    internal Secret? SecretKeyMaterial { get; init; }

    /// <summary>Composes a seed.</summary>
    /// <param name="spec">The build spec.</param>
    /// <param name="files">The files that it names.</param>
    /// <param name="profile">The family of systems; null if nobody knows.</param>
    /// <param name="keyContext">Something that says which images these are, such as the installer's SHA-256; one line.</param>
    /// <param name="instanceId">Fresh for each build.</param>
    /// <exception cref="CrustException"><see cref="FailureKind.HostLacks"/>: there is a password and no libcrypt.</exception>
    public static Seed Compose(BuildSpec spec, SeedFiles files, SeedProfile? profile, string keyContext, Guid instanceId)
    {
        var contents = SeedKinds.Compose(new SeedRequest(spec, files, profile, Sha512Crypt.SaltFor("image", $"{instanceId:N}", spec.Seed.Ssh.User ?? ""), instanceId));
        var key = KeyMaterialOf(spec, files, profile, keyContext);
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
            KeyMaterial = key.Published,
            SecretKeyMaterial = key.Secrets,
        };
    }

    /// <summary>What it is, without what it holds.</summary>
    public override string ToString() => $"a {Kind.LowerName()} seed of {string.Join(", ", Documents)}";

    /// <summary>The key material of the seed that <see cref="Compose"/> would make of the same. It takes no hash of the password, and no library for one.</summary>
    public static SeedKey KeyMaterialOf(BuildSpec spec, SeedFiles files, SeedProfile? profile, string keyContext)
    {
        var password = spec.Seed.Ssh.Password;
        var unhashed = password is null ? spec : spec with { Seed = spec.Seed with { Ssh = spec.Seed.Ssh with { Password = null, PasswordHash = new Secret(SomeHash) } } };
        var contents = SeedKinds.Compose(new SeedRequest(unhashed, files, profile, "", Guid.Empty));
        ImmutableArray<SeedDocument> documents = [.. contents.Documents.Where(document => !document.IsFresh)];
        var published = Digest(spec.Seed, contents, [.. documents.SelectMany(document => new[] { document.Name, SeedSecrets.Masked(document) }), .. files.ExtraFiles.SelectMany(file => new[] { file.Role, file.Keyed })]);
        var hasSecrets = password is not null || files.ExtraFiles.Any(file => !file.SecretNames.IsEmpty) || documents.Any(document => SeedSecrets.PathsIn(document).Any());
        return new SeedKey(published, !hasSecrets ? null : new Secret(Digest(spec.Seed, contents,
        [
            keyContext,
            password?.Reveal() ?? "",
            .. documents.SelectMany(document => new[] { document.Name, document.Text }),
            .. files.ExtraFiles.SelectMany(file => new[] { file.Role, file.Sha256 }),
        ])));
    }

    // Stands for the password's: which it is, the password itself says.
    private const string SomeHash = "$6$password$................";

    private static string Digest(SeedSpec spec, SeedContents keyed, ImmutableArray<string> told)
    {
        string[] parts = [spec.Kind.LowerName(), keyed.Label is not null ? spec.FileSystem.LowerName() : "", keyed.KernelArguments, .. told];
        // With its length before it, no text can pass for the end of one and the beginning of the next.
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"seed 3 {string.Concat(parts.Select(text => $"{text.Length}:{text}"))}")));
    }
}

/// <summary>The seed's part of the build keys.</summary>
/// <param name="Published">64 hex digits that tell nothing of secrets.</param>
/// <param name="Secrets">64 hex digits that change with secrets, too, and help to guess them; null if there are none.</param>
internal sealed record SeedKey(string Published, Secret? Secrets);
