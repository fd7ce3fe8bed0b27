using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <param name="Files">The files that it names.</param>
/// <param name="Profile">The family of systems; null if nobody knows.</param>
/// <param name="Contents">What the installer would be told. Its fresh parts aren't those of the build.</param>
internal sealed record SeedCheckRequest(BuildSpec Spec, SeedFiles Files, SeedProfile? Profile, SeedContents Contents)
{
    /// <summary>The composed cloud-config; null where the seed's kind has none.</summary>
    public ConfigMap? CloudConfig { get; } =
        Spec.Seed.Kind is SeedKind.Nocloud or SeedKind.Autoinstall or SeedKind.Embedded ? TreeOf(Files, Profile, Contents) as ConfigMap : null;

    // Of an archive, the cloud-configs in it as one: what its other parts are is nobody's but cloud-init's affair.
    private static ConfigNode? TreeOf(SeedFiles files, SeedProfile? profile, SeedContents contents) => contents.Documents.FirstOrDefault(document => document.Tree is not null)?.Tree
        ?? (contents.Documents.SelectMany(document => document.Parts).LastOrDefault() is { Tree: ConfigMap generated } ? KairosMerge.Merge(generated, files.Merged(profile)) : null);

    /// <summary>What Ubuntu's installer is told; null where the seed is of another kind.</summary>
    public ConfigMap? Autoinstall => Spec.Seed.Kind is SeedKind.Autoinstall ? ConfigTree.Find(CloudConfig, "autoinstall") as ConfigMap : null;

    /// <summary>Where to point at when something isn't there at all: the beginning of the first file, or the key that would name one.</summary>
    public Place Whole => Spec.Seed.UserData is [var first, ..] ? new Place(first, 1, 1) : Place.Of("seed");

    /// <summary>Whether it can be Kairos, or something made of it, that reads the cloud-config.</summary>
    public bool MayBeKairos => Spec.Seed.Kind is SeedKind.Nocloud or SeedKind.Embedded && Profile is not SeedProfile.Debian;

    /// <summary>Whether nobody knows who reads the cloud-config, so that a reader may take what none that Crust knows does.</summary>
    public bool IsUnknown => Profile is null && Spec.Seed.Kind is SeedKind.Nocloud or SeedKind.Embedded;

    /// <summary>Whether it is cloud-init, and nothing else, that reads the cloud-config.</summary>
    public bool IsCloudInit => Spec.Seed.Kind is SeedKind.Autoinstall || Profile is SeedProfile.Debian;
}
