using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>
/// cloud-init's NoCloud data source (cloud-init's documentation, "NoCloud"): a volume labelled `cidata` with `user-data`, `meta-data` and perhaps
/// `network-config`. Kairos, stylus and Elemental read the same.
/// </summary>
internal sealed class NocloudSeed : ISeedKind
{
    /// <summary>The label that every reader of it knows.</summary>
    public const string Label = "cidata";

    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Nocloud;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path) => CloudConfig.Read(text, path);

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request) => Of(UserDataOf(request), request);

    /// <summary>The user's cloud-configs over the generated one.</summary>
    public static ConfigMap UserDataOf(SeedRequest request)
    {
        var user = request.Files.Merged(request.Profile);
        return KairosMerge.Merge(GeneratedConfig.Of(request, user), user);
    }

    /// <summary>The volume around a user-data.</summary>
    public static SeedContents Of(ConfigMap userData, SeedRequest request) => new()
    {
        Carrier = SeedCarrier.Volume,
        Label = Label,
        Documents =
        [
            new SeedDocument("user-data", CloudConfig.ToText(userData)) { Tree = userData },
            new SeedDocument("meta-data", $"instance-id: crust-{request.InstanceId:D}\n") { IsFresh = true },
            .. request.Files.NetworkConfig is { } network ? new[] { new SeedDocument("network-config", network) } : [],
        ],
    };
}
