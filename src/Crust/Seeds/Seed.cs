using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>What an installer is told: the files of a NoCloud seed volume. It holds secrets.</summary>
public sealed record Seed
{
    private Seed()
    {
    }

    /// <summary>The cloud-config, with its header. It holds secrets.</summary>
    public required string UserData { get; init; }

    /// <summary>cloud-init's metadata: an instance-id that no other build has.</summary>
    public required string MetaData { get; init; }

    /// <summary>cloud-init's network configuration; null for none.</summary>
    public required string? NetworkConfig { get; init; }

    /// <summary>What the user should know. Never a secret.</summary>
    public required ImmutableArray<string> Warnings { get; init; }

    /// <summary>
    /// 64 hex digits that change with all that the installer is told, and not with what differs from build to build (the instance-id
    /// and the password's salt): the seed's part of the build key. It doesn't help to guess a secret
    /// (docs/decisions/password-salt.md).
    /// </summary>
    public required string KeyMaterial { get; init; }

    /// <summary>Composes a seed.</summary>
    /// <param name="spec">The build spec.</param>
    /// <param name="files">The files that it names.</param>
    /// <param name="keyContext">Salts the password inside <see cref="KeyMaterial"/>: something that says which images these are, such as the installer's SHA-256; one line.</param>
    /// <param name="instanceId">Fresh for each build.</param>
    /// <exception cref="CrustException"><see cref="FailureKind.HostLacks"/>: there is a password and no libcrypt.</exception>
    public static Seed Compose(BuildSpec spec, SeedFiles files, string keyContext, Guid instanceId)
    {
        var seed = spec.Seed;
        var account = seed.Ssh.User ?? "";
        var document = CloudConfig.Compose(seed, files.UserData, Sha512Crypt.SaltFor("image", $"{instanceId:N}", account));
        var keyed = CloudConfig.Compose(seed, files.UserData, Sha512Crypt.SaltFor("build key", keyContext, account));
        return new Seed
        {
            UserData = CloudConfig.ToText(document),
            MetaData = $"instance-id: crust-{instanceId:D}\n",
            NetworkConfig = files.NetworkConfig,
            Warnings = [.. CloudConfig.Warnings(spec, document)],
            KeyMaterial = Digest(CloudConfig.ToText(keyed), files.NetworkConfig),
        };
    }

    /// <summary>What it is, without what it holds.</summary>
    public override string ToString() => $"a seed of {UserData.Length} characters{(NetworkConfig is null ? "" : " with a network configuration")}";

    private static string Digest(string userData, string? networkConfig)
    {
        // With its length before it, no text can pass for the end of one and the beginning of the next.
        var parts = new[] { userData, networkConfig ?? "" }.Select(text => $"{text.Length}:{text}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"seed 1 {(networkConfig is null ? 1 : 2)} {string.Concat(parts)}")));
    }
}
