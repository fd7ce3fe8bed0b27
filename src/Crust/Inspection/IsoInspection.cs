using System.Collections.Immutable;
using Crust.Isos;
using Crust.Spec;

namespace Crust.Inspection;

/// <summary>What an ISO file is, from its own sectors: it isn't booted.</summary>
internal sealed record IsoInspection
{
    public required string VolumeId { get; init; }

    /// <summary>What its `.disk/info` calls it; null if it has none.</summary>
    public required string? Title { get; init; }

    /// <summary>The volume's size in bytes, by its own descriptor.</summary>
    public required long DeclaredSize { get; init; }

    /// <summary>How many bytes are missing at its end; 0 if it is whole.</summary>
    public required long Missing { get; init; }

    /// <summary>Whether it has an El Torito boot image for BIOS.</summary>
    public required bool BootsBios { get; init; }

    /// <summary>Whether it has one for UEFI.</summary>
    public required bool BootsUefi { get; init; }

    /// <summary>How it can be booted from a USB stick, by the partition table in its system area: `none`, `mbr`, `gpt` or `mbr and gpt`.</summary>
    public required string Hybrid { get; init; }

    /// <summary>The family of systems that it installs; null if it doesn't say so.</summary>
    public required string? Profile { get; init; }

    /// <summary>What tells the family; null if nothing does.</summary>
    public required string? ProfileSign { get; init; }

    /// <summary>The kinds of seeds (`seed.kind`) that its installer reads, as far as that is known; empty if it isn't.</summary>
    public required ImmutableArray<string> Seeds { get; init; }

    /// <exception cref="CrustException">The file can't be read, or isn't ISO 9660.</exception>
    public static IsoInspection Of(string path)
    {
        var seen = IsoInspector.Look(path, path);
        using var tree = new IsoTree(path);
        var found = ProfileFinder.Find(path);
        var title = Evidence.PlainText.Clean(tree.ReadText(".disk/info", 200));
        return new IsoInspection
        {
            VolumeId = Evidence.PlainText.Clean(seen.VolumeId),
            Title = title.Length > 0 ? title : null,
            DeclaredSize = seen.DeclaredSize,
            Missing = Math.Max(0, seen.Needed - seen.Size),
            BootsBios = seen.BootsBios,
            BootsUefi = seen.BootsUefi,
            Hybrid = seen.Hybrid,
            Profile = found?.Profile.LowerName(),
            ProfileSign = found?.Sign,
            Seeds = [.. SeedsOf(tree, found?.Profile).Distinct().Select(kind => kind.LowerName())],
        };
    }

    // Installers are known by the kernel that they boot.
    private static IEnumerable<SeedKind> SeedsOf(IsoTree tree, SeedProfile? profile)
    {
        if (profile is SeedProfile.Kairos or SeedProfile.Stylus or SeedProfile.Elemental || tree.Contains("crust/read-seed.py"))
        {
            yield return SeedKind.Nocloud;
        }

        // These look for a configuration in their own root, too.
        if (profile is SeedProfile.Kairos or SeedProfile.Stylus or SeedProfile.Elemental)
        {
            yield return SeedKind.Embedded;
        }

        if (tree.Contains("casper/vmlinuz"))
        {
            yield return SeedKind.Autoinstall;
        }

        if (tree.Contains("install.amd/vmlinuz") || tree.Contains("install.a64/vmlinuz"))
        {
            yield return SeedKind.Preseed;
        }

        if (tree.Contains("images/pxeboot/vmlinuz"))
        {
            yield return tree.Contains("coreos") ? SeedKind.Ignition : SeedKind.Kickstart;
        }
    }
}
