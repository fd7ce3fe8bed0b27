using Crust.Inspection;

namespace Crust.Tests.Inspection;

/// <summary>A disk as `layout: raspberry-pi` makes it, and what its boot partition may lack.</summary>
public sealed class RaspberryPiRulesTests
{
    private const string Volume = "2";
    private const string Files = """
        100 /run/crust/mount/config.txt
        2256992 /run/crust/mount/start4.elf
        5446 /run/crust/mount/fixup4.dat
        39650 /run/crust/mount/bcm2711-rpi-4-b.dtb
        22000 /run/crust/mount/bcm2712-rpi-5-b.dtb
        43800000 /run/crust/mount/vmlinuz-6.18.15
        38800000 /run/crust/mount/initrd.img-6.18.15

        """;

    private const string Config = "# by Crust\narm_64bit=1\nkernel=vmlinuz-6.18.15 # newest\ninitramfs initrd.img-6.18.15\n";

    private static EvidenceSample Pi => EvidenceSample.None
        .With("sector", "0", new byte[512])
        .With("volume", "1", "DEVICE=/dev/vda\nSIZE=4294967296\nID_PART_TABLE_TYPE=dos\n")
        .With("volume", Volume, "DEVICE=/dev/vda1\nSIZE=536870912\nNUMBER=1\nID_FS_LABEL_ENC=BOOTFS\nID_FS_TYPE=vfat\nID_PART_ENTRY_TYPE=0xc\nID_PART_ENTRY_UUID=deadbeef-01\n")
        .With("space", Volume, "4096 130000 100000 100000\n")
        .With("board", Volume, Files)
        .With("config-txt", Volume, Config)
        .With("cmdline-txt", Volume, "console=tty0 root=PARTUUID=deadbeef-02 rw\n")
        .With("volume", "4", "DEVICE=/dev/vda2\nSIZE=3000000000\nNUMBER=2\nID_FS_TYPE=ext4\nID_PART_ENTRY_TYPE=0x83\nID_PART_ENTRY_UUID=deadbeef-02\n")
        .With("space", "4", "4096 722727 517406 505779\n")
        .With("system", EvidenceSample.System, "")
        .With("os-release", EvidenceSample.System, "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nVERSION_ID=\"13\"\nID=debian\n")
        .With("machine-id", EvidenceSample.System, "")
        .With("files", EvidenceSample.System, "/boot/vmlinuz-6.18.15\0");

    [Test]
    public void A_disk_that_both_models_boot_has_nothing_to_be_said_of() => Assert.That(Pi.Rules(), Is.Empty, "and needs neither boot code nor UEFI");

    [Test]
    public void It_is_said_which_models_boot_it()
    {
        var without = Pi.With("board", Volume, Files.Replace("start4.elf", "start.elf", StringComparison.Ordinal));

        Assert.That(InspectionWords.Of(Pi.Read().Boot), Is.EqualTo("on a Raspberry Pi 4 and a Pi 5"));
        Assert.That(InspectionWords.Of(without.Read().Boot), Is.EqualTo("on a Raspberry Pi 5"));
        Assert.That(EvidenceSample.Reference.Read().Boot.RaspberryPi, Is.Null);
    }

    [TestCase("start4.elf", "pi4-firmware", "A Pi 4 won't boot: its firmware's start4.elf is missing")]
    [TestCase("fixup4.dat", "pi4-firmware", "A Pi 4 won't boot: its firmware's fixup4.dat is missing")]
    [TestCase("bcm2711-rpi-4-b.dtb", "pi4-dtb", "A Pi 4 won't boot: missing DTB for Pi 4 (bcm2711-rpi-4-b.dtb)")]
    [TestCase("bcm2712-rpi-5-b.dtb", "pi5-dtb", "A Pi 5 won't boot: missing DTB for Pi 5 (bcm2712-rpi-5-b.dtb)")]
    [TestCase("vmlinuz-6.18.15", "pi-kernel", "The kernel of a Pi 4 and a Pi 5 isn't there: vmlinuz-6.18.15")]
    [TestCase("initrd.img-6.18.15", "pi-initramfs", "The initramfs of a Pi 4 and a Pi 5 isn't there: initrd.img-6.18.15")]
    public void What_the_firmware_asks_for_and_is_missing_is_named(string file, string rule, string what)
    {
        var finding = Pi.With("board", Volume, Files.Replace($"/{file}\n", "/other.txt\n", StringComparison.Ordinal)).Read().Warnings.Single();

        Assert.That((finding.Rule, finding.What), Is.EqualTo((rule, what)));
        Assert.That(finding.Where, Does.EndWith("partition 1"));
    }

    [Test]
    public void A_kernel_that_is_too_old_for_a_pi_5_shows_by_its_device_tree() =>
        Assert.That(Pi.With("board", Volume, Files.Replace("22000 ", "6800 ", StringComparison.Ordinal)).Rules(), Is.EqualTo(new[] { "pi5-old-kernel" }));

    [Test]
    public void A_root_on_another_disk_is_found_by_its_id() =>
        Assert.That(Pi.With("cmdline-txt", Volume, "root=PARTUUID=12345678-02 rw\n").Rules(), Is.EqualTo(new[] { "pi-root" }));

    [Test]
    public void A_second_kernel_has_to_fit() => Assert.That(Pi.With("space", Volume, "4096 130000 20000 20000\n").Rules(), Is.EqualTo(new[] { "pi-boot-space" }));

    [Test]
    public void Each_model_reads_its_own_section_of_config_txt()
    {
        var finding = Pi.With("config-txt", Volume, Config + "[pi5]\nkernel=kernel_2712.img\n[HDMI:0]\nkernel=none\n[all]\nenable_uart=1\n").Read().Warnings.Single();

        Assert.That((finding.Rule, finding.What), Is.EqualTo(("pi-kernel", "The kernel of a Pi 5 isn't there: kernel_2712.img")));
    }

    [Test]
    public void A_prefix_counts_where_kernel_and_device_tree_are_and_is_passed_over_elsewhere()
    {
        var whole = Files + "1 /run/crust/mount/crust-7/vmlinuz-7\n1 /run/crust/mount/crust-7/initrd.img-7\n30000 /run/crust/mount/crust-7/bcm2711-rpi-4-b.dtb\n30000 /run/crust/mount/crust-7/bcm2712-rpi-5-b.dtb\n";
        const string config = "os_prefix=crust-7/\nkernel=vmlinuz-7\ninitramfs initrd.img-7\n";

        Assert.That(Pi.With("config-txt", Volume, config).With("board", Volume, whole).Rules(), Is.Empty);
        Assert.That(Pi.With("config-txt", Volume, config).With("board", Volume, whole.Replace("crust-7/bcm2712-rpi-5-b.dtb", "crust-7/other.dtb", StringComparison.Ordinal)).Rules(), Is.EqualTo(new[] { "pi-kernel" }));
    }

    [Test]
    public void Without_a_word_in_config_txt_the_firmware_looks_for_kernels_by_its_own_names()
    {
        var files = Files.Replace("vmlinuz-6.18.15", "kernel8.img", StringComparison.Ordinal);

        Assert.That(Pi.With("config-txt", Volume, "auto_initramfs=1\n").With("board", Volume, files).Rules(), Is.Empty);
    }

    [Test]
    public void Another_system_with_a_config_txt_is_none_of_it() =>
        Assert.That(EvidenceSample.Reference.With("board", "3", "10 /run/crust/mount/config.txt\n").With("config-txt", "3", "x\n").Rules(), Is.Empty);
}
