using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Crust.Seeds.Documents;
using Crust.Seeds.Kinds;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Seeds;

/// <summary>A file that a seed was made of.</summary>
/// <param name="Role">What it is for: `user-data`, `network-config`, `files/NAME`.</param>
/// <param name="Path">Where it was, as the user named it.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
internal sealed record SeedFile(string Role, string Path, long Size, string Sha256)
{
    /// <summary>What of it is secret, without what it is: `stylus.site.edgeHostToken`, `rootpw (line 2)`; empty for nothing.</summary>
    public ImmutableArray<string> SecretNames { get; init; } = [];

    /// <summary>What others may be told of its content: its SHA-256 in hex; null if it has a secret, which a SHA-256 would help to guess.</summary>
    public string? PublicSha256 => SecretNames.IsEmpty ? Sha256 : null;

    internal ImmutableArray<string> Secrets { get; init; } = [];

    /// <summary>What it is to the build key that is published: its SHA-256, or that of what it holds beside its secrets.</summary>
    internal string Keyed { get; init; } = Sha256;
}

/// <summary>A file of the user's, as it was read.</summary>
/// <param name="Path">Where it was, as the user named it.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Config">The same as a tree; null for what isn't a cloud-config.</param>
internal sealed record UserDocument(string Path, string Text, int Size, ConfigMap? Config)
{
    /// <summary>What variables have brought to the text.</summary>
    public ImmutableArray<string> Secrets { get; init; } = [];
}

/// <summary>The files that a spec names for its seed, read and checked: before an installer is fetched or built.</summary>
internal sealed record SeedFiles
{
    // The preflight reads them, and the build does: of files that ride along, which may be large, once is enough.
    private static readonly ConcurrentDictionary<(FileIdentity Identity, string Name), SeedFile> Known = [];

    private SeedFiles()
    {
    }

    /// <summary>The user's own files, in the order in which each is merged over those before.</summary>
    internal ImmutableArray<UserDocument> UserData { get; private init; } = [];

    /// <summary>cloud-init's network configuration; null for none.</summary>
    internal string? NetworkConfig { get; private init; }

    /// <summary>Certificates that an edge host trusts, in PEM.</summary>
    internal ImmutableArray<string> CaCerts { get; private init; } = [];

    /// <summary>The files that ride along as they are.</summary>
    internal ImmutableArray<SeedFile> ExtraFiles { get; private init; } = [];

    public ImmutableArray<SeedFile> Files { get; private init; } = [];

    /// <exception cref="CrustException">
    /// <see cref="FailureKind.BadInput"/>: a file isn't there, has no cloud-config header, isn't YAML or isn't a mapping; or names a variable that isn't set.
    /// </exception>
    public static SeedFiles Read(SeedSpec seed) => Read(seed, seed.Substitute);

    /// <summary>The same without the values of variables, which needn't be known yet.</summary>
    /// <exception cref="CrustException">As <see cref="Read(SeedSpec)"/>, but for variables.</exception>
    internal static SeedFiles ReadAsWritten(SeedSpec seed) => Read(seed, substitute: false);

    private static SeedFiles Read(SeedSpec seed, bool substitute)
    {
        var substitution = new Substitution(seed.Variables);
        var kind = SeedKinds.Of(seed.Kind);
        var files = ImmutableArray.CreateBuilder<SeedFile>();
        ImmutableArray<UserDocument> userData =
        [
            .. seed.UserData.Select(path =>
            {
                var text = ReadFile("user-data", path);
                var config = kind.Read(text, path);
                files[^1] = RideAlong.Named(files[^1], RideAlong.NameOf(seed.Kind), seed.Substitute ? Substitution.Without(text) : text);
                var used = new List<string>();
                return new UserDocument(path, substitute && config is null ? substitution.Apply(text, path, used) : text, (int)files[^1].Size,
                    substitute && config is not null ? (ConfigMap)substitution.Apply(config) : config)
                { Secrets = [.. used] };
            }),
        ];
        var networkConfig = seed.NetworkConfig is { } network ? CheckNetworkConfig(ReadFile("network-config", network), network) : null;
        if (networkConfig is not null)
            files[^1] = RideAlong.Named(files[^1], "network-config", networkConfig);
        ImmutableArray<string> certs = [.. seed.Palette.CaCerts.Select(path => CheckCertificate(ReadFile("ca-cert", path), path))];
        ImmutableArray<SeedFile> extra = [.. seed.Files.Select(Ride)];
        files.AddRange(extra);
        return new SeedFiles { UserData = userData, NetworkConfig = networkConfig, CaCerts = certs, ExtraFiles = extra, Files = files.ToImmutable() };

        string ReadFile(string role, string path)
        {
            var text = UserFile.Read(path, path, role, out var bytes);
            files.Add(new SeedFile(role, path, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
            return text;
        }
    }

    /// <summary>The user’s cloud-configs as one, merged by the rules of their reader.</summary>
    internal ConfigMap Merged(SeedProfile? profile) =>
        UserData.Select(document => document.Config ?? ConfigMap.Empty).Aggregate(ConfigMap.Empty, profile is SeedProfile.Debian ? CloudInitMerge.Merge : KairosMerge.Merge);

    /// <summary>About how many bytes are written to carry them to an installer.</summary>
    internal long SizeWith(BuildSpec spec, long installer) =>
        ExtraFiles.Sum(file => file.Size) + (spec.Seed.Kind is SeedKind.Embedded && (!ExtraFiles.IsEmpty || EmbeddedSeed.HasConfig(spec.Seed)) ? installer : 0);

    private static SeedFile Ride(ExtraFile extra)
    {
        using var file = UserFile.Open(extra.Path, extra.Path, "seed's");
        var identity = FileIdentity.Of(extra.Path);
        var known = Known.GetValueOrDefault((identity, extra.Name)) ?? RideAlong.Read(extra, file);
        // A file that was written to meanwhile may have another by now.
        if (FileIdentity.Of(extra.Path) == identity)
            Known[(identity, extra.Name)] = known;
        return known with { Path = extra.Path };
    }

    private static string CheckCertificate(string text, string path)
    {
        if (text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
            throw new CrustException(FailureKind.BadInput, "The file holds a private key, which no edge host may have", path, "name a file with the certificate alone");
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The certificate can't be read: {e.Message.TrimEnd('.')}", path, "name a file with certificates in PEM", e);
        }

        return certificates.Count > 0
            ? text
            : throw new CrustException(FailureKind.BadInput, "The file holds no certificate in PEM", path, "name a file that begins with -----BEGIN CERTIFICATE-----");
    }

    private static string CheckNetworkConfig(string text, string path) => ConfigReader.Read(text, path) is ConfigMap
        ? text
        : throw new CrustException(FailureKind.BadInput, "The network-config isn't a mapping", $"{path}:1:1", "write cloud-init's format, such as: version: 2") { Rule = "not-a-mapping" };
}
