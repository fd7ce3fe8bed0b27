using Crust.Spec;
using YamlDotNet.RepresentationModel;

namespace Crust.Seeds;

/// <summary>The files that a spec names for its seed, read and checked: before an installer is fetched or built.</summary>
public sealed record SeedFiles
{
    private SeedFiles(YamlMappingNode userData, string? networkConfig) => (UserData, NetworkConfig) = (userData, networkConfig);

    /// <summary>The user's cloud-config; empty where there is none.</summary>
    internal YamlMappingNode UserData { get; }

    /// <summary>cloud-init's network configuration; null for none.</summary>
    internal string? NetworkConfig { get; }

    /// <summary>Reads them.</summary>
    /// <exception cref="CrustException">
    /// <see cref="FailureKind.BadInput"/>: a file isn't there, has no cloud-config header, isn't YAML or isn't a mapping.
    /// </exception>
    public static SeedFiles Read(SeedSpec seed) => new(
        seed.UserData is null ? new YamlMappingNode() : CloudConfig.Read(UserFile.Read(seed.UserData, seed.UserData, "user-data"), seed.UserData),
        seed.NetworkConfig is null ? null : ReadNetworkConfig(seed.NetworkConfig));

    private static string ReadNetworkConfig(string path)
    {
        var text = UserFile.Read(path, path, "network-config");
        return YamlText.Parse(text, path) is YamlMappingNode
            ? text
            : throw new CrustException(FailureKind.BadInput, "The network-config isn't a mapping", $"{path}:1:1", "write cloud-init's format, such as: version: 2");
    }
}
