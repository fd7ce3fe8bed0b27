using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Spec;
using YamlDotNet.RepresentationModel;

namespace Crust.Seeds;

/// <summary>A file that a seed was made of.</summary>
/// <param name="Role">What it is for: `user-data`, `network-config`.</param>
/// <param name="Path">Where it was, as the user named it.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
public sealed record SeedFile(string Role, string Path, long Size, string Sha256);

/// <summary>The files that a spec names for its seed, read and checked: before an installer is fetched or built.</summary>
public sealed record SeedFiles
{
    private SeedFiles(YamlMappingNode userData, string? networkConfig, ImmutableArray<SeedFile> files) =>
        (UserData, NetworkConfig, Files) = (userData, networkConfig, files);

    /// <summary>The user's cloud-config; empty where there is none.</summary>
    internal YamlMappingNode UserData { get; }

    /// <summary>cloud-init's network configuration; null for none.</summary>
    internal string? NetworkConfig { get; }

    /// <summary>Which files were read.</summary>
    public ImmutableArray<SeedFile> Files { get; }

    /// <summary>Reads them.</summary>
    /// <exception cref="CrustException">
    /// <see cref="FailureKind.BadInput"/>: a file isn't there, has no cloud-config header, isn't YAML or isn't a mapping.
    /// </exception>
    public static SeedFiles Read(SeedSpec seed)
    {
        var files = ImmutableArray.CreateBuilder<SeedFile>();
        var userData = seed.UserData is { } path ? CloudConfig.Read(ReadFile("user-data", path), path) : new YamlMappingNode();
        var networkConfig = seed.NetworkConfig is { } network ? CheckNetworkConfig(ReadFile("network-config", network), network) : null;
        return new SeedFiles(userData, networkConfig, files.ToImmutable());

        string ReadFile(string role, string path)
        {
            var text = UserFile.Read(path, path, role, out var bytes);
            files.Add(new SeedFile(role, path, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
            return text;
        }
    }

    private static string CheckNetworkConfig(string text, string path) => YamlText.Parse(text, path) is YamlMappingNode
        ? text
        : throw new CrustException(FailureKind.BadInput, "The network-config isn't a mapping", $"{path}:1:1", "write cloud-init's format, such as: version: 2");
}
