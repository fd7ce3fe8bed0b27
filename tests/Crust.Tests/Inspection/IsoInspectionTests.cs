using Crust.Inspection;
using Crust.Tests.Installers;

namespace Crust.Tests.Inspection;

public sealed class IsoInspectionTests
{
    private readonly IsoSample _sample = new();

    [OneTimeTearDown]
    public void RemoveFiles() => _sample.Dispose();

    [TestCase("casper/vmlinuz", "autoinstall")]
    [TestCase("install.amd/vmlinuz", "preseed")]
    [TestCase("images/pxeboot/vmlinuz", "kickstart")]
    [TestCase("crust/read-seed.py", "nocloud")]
    [TestCase("docs/readme", null)]
    public async Task The_seeds_that_an_installer_reads_are_told_by_the_kernel_that_it_boots(string path, string? kind) =>
        Assert.That(IsoInspection.Of(await _sample.WriteAsync("EDGE", (path, ""))).Seeds, Is.EqualTo(kind is null ? [] : new[] { kind }));

    [Test]
    public async Task CoreOS_reads_Ignition_and_Kairos_a_volume_or_its_own_root()
    {
        Assert.That(IsoInspection.Of(await _sample.WriteAsync("fedora-coreos-40", ("images/pxeboot/vmlinuz", ""), ("coreos/igninfo.json", ""))).Seeds, Is.EqualTo(new[] { "ignition" }));
        var kairos = IsoInspection.Of(await _sample.WriteAsync("COS_LIVE", ("rootfs.squashfs", ""), ("boot/grub2/grub.cfg", "linux /boot/kernel install-mode")));
        Assert.That((kairos.Profile, kairos.ProfileSign), Is.EqualTo(("kairos", "'install-mode' in boot/grub2/grub.cfg")));
        Assert.That(kairos.Seeds, Is.EqualTo(new[] { "nocloud", "embedded" }));
    }

    [Test]
    public async Task An_ISO_is_told_by_its_descriptors()
    {
        var path = await _sample.WriteAsync("DEBIAN_EDGE", (".disk/info", "Debian GNU/Linux 12 \"Bookworm\"\n"));

        var iso = IsoInspection.Of(path);

        Assert.That((iso.VolumeId, iso.Title, iso.Missing, iso.Hybrid), Is.EqualTo(("DEBIAN_EDGE", "Debian GNU/Linux 12 \"Bookworm\"", 0L, "none")));
        Assert.That((iso.BootsBios, iso.BootsUefi), Is.EqualTo((false, false)), "one with files alone is an ISO, too");
        Assert.That(iso.DeclaredSize, Is.LessThanOrEqualTo(new FileInfo(path).Length));
    }

    [TestCase(new byte[] { 0x00 }, true, false)]
    [TestCase(new byte[] { 0xef }, false, true)]
    [TestCase(new byte[] { 0x00, 0xef }, true, true)]
    public void Boot_images_are_told(byte[] platforms, bool bios, bool uefi)
    {
        var iso = IsoInspection.Of(Write(IsoBytes.With("EDGE", platforms)));

        Assert.That((iso.BootsBios, iso.BootsUefi), Is.EqualTo((bios, uefi)));
    }

    [TestCase(false, false, "none")]
    [TestCase(true, false, "mbr")]
    [TestCase(true, true, "mbr and gpt")]
    public void What_makes_it_boot_from_a_stick_is_told(bool mbr, bool gpt, string hybrid)
    {
        var bytes = IsoBytes.With("EDGE", 0);
        if (mbr)
            (bytes[450], bytes[510], bytes[511]) = (0x17, 0x55, 0xaa);
        if (gpt)
            "EFI PART"u8.CopyTo(bytes.AsSpan(512));

        Assert.That(IsoInspection.Of(Write(bytes)).Hybrid, Is.EqualTo(hybrid));
    }

    [Test]
    public void An_ISO_that_is_cut_off_is_told_by_how_much()
    {
        var bytes = IsoBytes.With("EDGE", 0);

        Assert.That(IsoInspection.Of(Write(bytes[..^5000])).Missing, Is.EqualTo(5000));
    }

    private string Write(byte[] content)
    {
        var path = Path.Combine(_sample.Folder, $"{Guid.NewGuid():N}.iso");
        File.WriteAllBytes(path, content);
        return path;
    }
}
