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

    // cloud-init's documentation, "Merging user data sections": keys that are there stay, mappings are merged key by key, lists get these entries, too.
    private const string Under = "dict(recurse_array,no_replace)+list(append)";

    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Nocloud;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path) => UserDataHeader.Of(text) is null ? CloudConfig.Read(text, path) : null;

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request) => request.Files.UserData.FirstOrDefault(document => document.Config is null) is { } other
        ? OfOthers(other, request)
        : Of(UserDataOf(request), request);

    // A script, a list of URLs or a template can't be merged with anything. Where nothing is to be added, it goes as it is; else cloud-init gets all in an archive.
    private static SeedContents OfOthers(UserDocument other, SeedRequest request)
    {
        var spec = request.Spec;
        // Crust's reference installer and Kairos read a cloud-config alone, before cloud-init does or in its place.
        if (spec.Installer.Iso is null || request.Profile is not (null or SeedProfile.Debian))
            throw CloudConfig.CannotMerge(other.Text, other.Path);
        var isAlone = request.Files.UserData.Length == 1 && spec.Seed is { Ssh.User: null, Hostname: null } && spec.Seed.Palette == new PaletteSpec();
        return isAlone ? WithUserData(new SeedDocument("user-data", other.Text) { Secrets = other.Secrets }, request)
            : request.Profile is SeedProfile.Debian ? WithUserData(Archive(request), request)
            : throw CloudConfig.CannotMerge(other.Text, other.Path, "set seed.profile to debian if it is cloud-init that reads it");
    }

    // The user's files in their order, each merged by cloud-init over those before; then what Crust generates, under all of them, also under what they fetch or render.
    private static SeedDocument Archive(SeedRequest request)
    {
        var generated = GeneratedConfig.Of(request, request.Files.Merged(SeedProfile.Debian));
        return SeedDocument.Archive("user-data",
        [
            .. request.Files.UserData.Select(document => document.Config is { } config
                ? new SeedDocument("user-data", CloudConfig.ToText(config)) { Tree = config }
                : new SeedDocument("user-data", document.Text) { Secrets = document.Secrets }),
            new SeedDocument("user-data", CloudConfig.ToText(generated)) { Tree = generated, MergeType = Under },
        ]);
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
