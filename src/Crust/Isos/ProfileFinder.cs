using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Isos;

/// <summary>The family of systems that an ISO installs, and by what it was told.</summary>
/// <param name="Sign">What tells it, in a few words: `the folder opt/spectrocloud`.</param>
internal sealed record FoundProfile(SeedProfile Profile, string Sign);

/// <summary>
/// Tells which family of systems an ISO installs, from a few of its sectors. Kairos, stylus and Elemental share a volume id and most of their layout,
/// so that their boot menus and a few folders have to tell them apart:
/// Kairos' AuroraBoot writes `boot/grub2/grub.cfg`; Spectro Cloud's CanvOS puts `opt/spectrocloud` and a menu of its own into the same;
/// SUSE's Elemental puts its kernel under `boot/ARCH/loader` (before 2.1 beside Kairos') and names `iso-config` on its command line.
/// </summary>
internal static class ProfileFinder
{
    private const int MostOfMenu = 256 << 10;
    private const int MostOfInfo = 1 << 10;

    // Of a live ISO that is booted by GRUB, and of one whose kernel is a UEFI program (enki's and AuroraBoot's build-uki).
    private const string LiveVolume = "COS_LIVE";
    private const string UkiVolume = "UKI_ISO_INSTALL";

    private static readonly ImmutableArray<string> StylusPaths = ["opt/spectrocloud", "stylus-image.tar"];
    private static readonly ImmutableArray<string> ElementalPaths = ["boot/x86_64/loader/rootfs.squashfs", "boot/aarch64/loader/rootfs.squashfs", "boot/arm64/loader/rootfs.squashfs"];
    private static readonly ImmutableArray<string> DebianPaths = ["install.amd/vmlinuz", "install.a64/vmlinuz", "casper/vmlinuz"];
    private static readonly ImmutableArray<string> Menus = ["boot/grub2/grub.cfg", "EFI/BOOT/grub.cfg", "boot/grub/grub.cfg"];

    // Kairos' installer is chosen by a word on the kernel's command line.
    private static readonly ImmutableArray<(string Word, SeedProfile Profile)> MenuWords =
    [
        ("palette", SeedProfile.Stylus),
        ("spectro", SeedProfile.Stylus),
        ("stylus", SeedProfile.Stylus),
        ("kairos", SeedProfile.Kairos),
        ("elemental", SeedProfile.Elemental),
        ("iso-config", SeedProfile.Elemental),
        ("install-mode", SeedProfile.Kairos),
        ("nodepair.enable", SeedProfile.Kairos),
        ("immucore", SeedProfile.Kairos),
    ];

    private static readonly ImmutableArray<string> InfoWords = ["Debian", "Ubuntu", "Crust reference installer"];

    /// <summary>The family of an ISO on this host; null if it doesn't say so, or can't be read.</summary>
    public static FoundProfile? Find(string path)
    {
        try
        {
            using var iso = new IsoTree(path);
            return Find(iso);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // Whoever needs the ISO itself says so.
            return null;
        }
    }

    private static FoundProfile? Find(IsoTree iso) => First(iso, StylusPaths, SeedProfile.Stylus) ?? FindLive(iso) ?? FindDebian(iso);

    private static FoundProfile? FindLive(IsoTree iso)
    {
        if (iso.VolumeId is not (LiveVolume or UkiVolume) && !iso.Contains("rootfs.squashfs"))
        {
            return null;
        }

        foreach (var menu in Menus)
        {
            var text = iso.ReadText(menu, MostOfMenu);
            if (MenuWords.FirstOrDefault(one => text.Contains(one.Word, StringComparison.OrdinalIgnoreCase)) is { Word: { } word, Profile: var profile })
            {
                return new FoundProfile(profile, $"'{word}' in {menu}");
            }
        }

        return First(iso, ElementalPaths, SeedProfile.Elemental)
            ?? (iso.VolumeId is UkiVolume ? new FoundProfile(SeedProfile.Kairos, $"the volume id {UkiVolume}") : null);
    }

    private static FoundProfile? FindDebian(IsoTree iso)
    {
        var info = iso.ReadText(".disk/info", MostOfInfo);
        return InfoWords.FirstOrDefault(word => info.Contains(word, StringComparison.Ordinal)) is { } word
            ? new FoundProfile(SeedProfile.Debian, $"'{word}' in .disk/info")
            : First(iso, DebianPaths, SeedProfile.Debian);
    }

    private static FoundProfile? First(IsoTree iso, ImmutableArray<string> paths, SeedProfile profile) =>
        paths.FirstOrDefault(iso.Contains) is { } path ? new FoundProfile(profile, $"its {path}") : null;
}
