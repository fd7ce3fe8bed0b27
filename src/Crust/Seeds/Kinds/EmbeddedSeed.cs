using Crust.Isos;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>
/// The ISO's own configuration, with nothing added; or the user's, put into a copy of the ISO, where a live system of its family reads it from its medium
/// (mounted at /run/initramfs/live).
/// </summary>
internal sealed class EmbeddedSeed : ISeedKind
{
    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Embedded;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path) => CloudConfig.Read(text, path);

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request)
    {
        var seed = request.Spec.Seed;
        if (!HasConfig(seed))
            return new SeedContents { Carrier = seed.Files.IsEmpty ? SeedCarrier.Nothing : SeedCarrier.Iso };

        var userData = NocloudSeed.UserDataOf(request);
        return new SeedContents
        {
            Carrier = SeedCarrier.Iso,
            Documents = [new SeedDocument(PlaceOf(request.Profile) ?? PlaceOf(SeedProfile.Kairos)!, CloudConfig.ToText(userData)) { Tree = userData }],
        };
    }

    /// <summary>Whether a spec says something that stands in a cloud-config.</summary>
    public static bool HasConfig(SeedSpec seed) =>
        !seed.UserData.IsEmpty || seed.Hostname is not null || seed.Ssh.User is not null || seed.Palette != new PaletteSpec();

    /// <summary>Where a family of systems reads a cloud-config from its medium; null if it doesn't, or nobody knows.</summary>
    public static string? PlaceOf(SeedProfile? profile) => profile switch
    {
        // Its agent reads each .yaml with a header on the medium, in the order of their names; AuroraBoot calls its own so.
        SeedProfile.Kairos => "config.yaml",
        // CanvOS puts its user-data here.
        SeedProfile.Stylus => "files-iso/config.yaml",
        // elemental.setup= on the kernel's command line (before 2.1, cos.setup=) names the folder.
        SeedProfile.Elemental => "iso-config/99_crust.yaml",
        _ => null,
    };

    /// <summary>Checks that what a spec says can go into an ISO of a family.</summary>
    /// <exception cref="CrustException">Nobody knows where its installer would read it.</exception>
    public static void CheckPlace(SeedSpec seed, InstallerIso installer, SeedProfile? profile)
    {
        if (seed.Kind is SeedKind.Embedded && HasConfig(seed) && PlaceOf(profile) is null)
            throw new CrustException(FailureKind.BadInput, WhatIsUnknown(profile), installer.Path, Remedy);
    }

    /// <summary>What is wrong where there is no such place.</summary>
    public static string WhatIsUnknown(SeedProfile? profile) => profile is null
        ? "It isn't known where this ISO's installer reads a configuration on its medium"
        : $"An ISO of the family {profile.Value.LowerName()} reads no cloud-config from its medium";

    public const string Remedy = "name the family (seed.profile) if it is one of Kairos; or leave out userData, palette, ssh and hostname, and put the file in yourself: seed.files with "
        + "PATH/THERE=FILE";
}
