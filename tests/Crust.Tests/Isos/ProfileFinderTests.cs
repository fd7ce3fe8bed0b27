using Crust.Installers;
using Crust.Isos;
using Crust.Spec;
using Crust.Tests.Installers;
using Serilog;

namespace Crust.Tests.Isos;

public sealed class ProfileFinderTests
{
    // What GRUB of a Kairos ISO finds on the medium, and what its EFI image's does.
    private const string KairosMenu = """
        search --file --set=root /boot/kernel
        menuentry "Edge OS" --class os --unrestricted {
            linux ($root)/boot/kernel cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ rd.live.squashimg=rootfs.squashfs rd.cos.disable install-mode selinux=0
        }
        """;

    private const string ChainedMenu = "search --no-floppy --file --set=root /boot/kernel\nconfigfile /boot/grub2/grub.cfg\n";

    private static readonly (string, string)[] LiveSystem = [("boot/kernel", ""), ("boot/initrd", ""), ("boot/uefi.img", ""), ("rootfs.squashfs", ""), ("EFI/BOOT/grub.cfg", ChainedMenu)];

    private readonly IsoSample _sample = new();

    [OneTimeTearDown]
    public void RemoveFiles() => _sample.Dispose();

    private static IEnumerable<TestCaseData> Layouts()
    {
        // AuroraBoot, and osbuilder before it; a menu with another title than Kairos' own.
        yield return Layout("Kairos", "COS_LIVE", [.. LiveSystem, ("boot/grub2/grub.cfg", KairosMenu), ("config.yaml", "#cloud-config\n")], SeedProfile.Kairos, "'install-mode' in boot/grub2/grub.cfg");
        yield return Layout("Kairos as a UEFI program", "UKI_ISO_INSTALL", [("efi.img", "")], SeedProfile.Kairos, "the volume id UKI_ISO_INSTALL");
        // CanvOS.
        yield return Layout("Palette's edge installer", "COS_LIVE",
            [.. LiveSystem, ("boot/grub2/grub.cfg", KairosMenu), ("opt/spectrocloud/content/Readme.txt", ""), ("files-iso/config.yaml", "#cloud-config\n")], SeedProfile.Stylus, "its opt/spectrocloud");
        yield return Layout("Palette's by its menu alone", "COS_LIVE",
            [.. LiveSystem, ("boot/grub2/grub.cfg", KairosMenu.Replace("Edge OS", "Palette eXtended Kubernetes Edge Installer"))], SeedProfile.Stylus, "'palette' in boot/grub2/grub.cfg");
        yield return Layout("Palette's as a UEFI program", "UKI_ISO_INSTALL", [("efi.img", ""), ("stylus-image.tar", "")], SeedProfile.Stylus, "its stylus-image.tar");
        // elemental build-iso, 2.1 and newer; 2.0; a label and a title of one's own.
        yield return Layout("Elemental", "COS_LIVE",
            [("boot/x86_64/loader/linux", ""), ("boot/x86_64/loader/rootfs.squashfs", ""), ("EFI/BOOT/grub.cfg", "linux ($root)/boot/x86_64/loader/linux elemental.disable elemental.setup=/run/initramfs/live/iso-config")],
            SeedProfile.Elemental, "'elemental' in EFI/BOOT/grub.cfg");
        yield return Layout("Elemental 2.0", "EDGE",
            [("boot/kernel", ""), ("rootfs.squashfs", ""), ("EFI/BOOT/grub.cfg", "linux ($root)/boot/kernel rd.cos.disable cos.setup=/run/initramfs/live/iso-config")],
            SeedProfile.Elemental, "'iso-config' in EFI/BOOT/grub.cfg");
        yield return Layout("Elemental with a menu of its own", "COS_LIVE", [("boot/aarch64/loader/rootfs.squashfs", ""), ("EFI/BOOT/grub.cfg", "mine")], SeedProfile.Elemental,
            "its boot/aarch64/loader/rootfs.squashfs");
        yield return Layout("Debian", "Debian 12.5.0 amd64 n", [(".disk/info", "Debian GNU/Linux 12.5.0 \"Bookworm\" - Official amd64 NETINST with firmware 20240210-11:27\n"), ("install.amd/vmlinuz", "")],
            SeedProfile.Debian, "'Debian' in .disk/info");
        yield return Layout("Debian for arm64, without a mark", "MINE", [("install.a64/vmlinuz", "")], SeedProfile.Debian, "its install.a64/vmlinuz");
        yield return Layout("Ubuntu", "Ubuntu-Server 24.04 LTS amd64", [(".disk/info", "Ubuntu-Server 24.04 LTS \"Noble Numbat\" - Release amd64 (20240423)"), ("casper/vmlinuz", "")], SeedProfile.Debian, "'Ubuntu' in .disk/info");
        yield return Layout("A live system that nobody knows", "COS_LIVE", [.. LiveSystem, ("boot/grub2/grub.cfg", "menuentry Harvest { linux /boot/kernel }")], null, null);
        yield return Layout("Fedora", "Fedora-S-dvd-x86_64-40", [(".discinfo", "1713477863.2\n40\nx86_64\n"), ("images/pxeboot/vmlinuz", "")], null, null);
    }

    [TestCaseSource(nameof(Layouts))]
    public async Task The_family_of_systems_is_told_by_the_layout_of_its_ISO(string volumeId, (string, string)[] files, SeedProfile? profile, string? sign)
    {
        var found = ProfileFinder.Find(await _sample.WriteAsync(volumeId, files));

        Assert.That(found, Is.EqualTo(profile is null ? null : new FoundProfile(profile.Value, sign!)));
    }

    [Test]
    public void What_is_no_ISO_or_is_not_there_is_of_no_family()
    {
        var path = Path.Combine(_sample.Folder, "text");
        File.WriteAllText(path, "no ISO");

        Assert.That(new[] { path, path + ".missing", _sample.Folder, "/dev/null" }.Select(ProfileFinder.Find), Has.All.Null);
    }

    [Test]
    public async Task It_is_known_of_a_local_ISO_before_the_ISO_is_hashed_and_of_a_URL_only_once_it_is_downloaded()
    {
        var iso = await _sample.WriteAsync("COS_LIVE", [.. LiveSystem, ("boot/grub2/grub.cfg", KairosMenu)]);
        var source = new InstallerSource(Path.Combine(_sample.Folder, "cache"), new EventList(), TimeProvider.System, Log.Logger);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(source.ProfileOf(iso), Is.EqualTo(SeedProfile.Kairos));
            Assert.That(source.ProfileOf("https://example.org/kairos.iso"), Is.Null);
            Assert.That(Directory.Exists(Path.Combine(_sample.Folder, "cache")), Is.False, "nothing was kept, so nothing was hashed");
        }
    }

    private static TestCaseData Layout(string name, string volumeId, (string, string)[] files, SeedProfile? profile, string? sign) =>
        new TestCaseData(volumeId, files, profile, sign).SetArgDisplayNames(name);
}
