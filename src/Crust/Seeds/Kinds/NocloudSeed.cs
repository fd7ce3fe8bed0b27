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
    public ConfigMap? Read(string text, string path) => UserDataHeader.Of(text) is null ? CloudConfig.Read(text, path) : null;

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request) => request.Files.UserData.FirstOrDefault(document => document.Config is null) is { } other
        ? AsItIs(other, request)
        : Of(UserDataOf(request), request);

    // A script, a list of URLs or a template can't be merged with anything: it goes as it is to cloud-init, where nothing is to be added.
    private static SeedContents AsItIs(UserDocument other, SeedRequest request)
    {
        var spec = request.Spec;
        var isAlone = request.Files.UserData.Length == 1 && spec.Seed is { Ssh.User: null, Hostname: null } && spec.Seed.Palette == new PaletteSpec();
        if (!isAlone || spec.Installer.Iso is null || request.Profile is not (null or SeedProfile.Debian))
            throw CloudConfig.CannotMerge(other.Text, other.Path);
        return WithUserData(new SeedDocument("user-data", other.Text), request);
    }

    /// <summary>The user's cloud-configs over the generated one.</summary>
    public static ConfigMap UserDataOf(SeedRequest request)
    {
        var user = request.Files.Merged(request.Profile);
        return KairosMerge.Merge(GeneratedConfig.Of(request, user), user);
    }

    /// <summary>The volume around a user-data.</summary>
    public static SeedContents Of(ConfigMap userData, SeedRequest request) => WithUserData(new SeedDocument("user-data", CloudConfig.ToText(userData)) { Tree = userData }, request);

    private static SeedContents WithUserData(SeedDocument userData, SeedRequest request) => new()
    {
        Carrier = SeedCarrier.Volume,
        Label = Label,
        Documents =
        [
            userData,
            new SeedDocument("meta-data", $"instance-id: crust-{request.InstanceId:D}\n") { IsFresh = true },
            .. request.Files.NetworkConfig is { } network ? new[] { new SeedDocument("network-config", network) } : [],
        ],
    };
}
