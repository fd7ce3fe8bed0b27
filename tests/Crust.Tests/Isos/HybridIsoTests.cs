using Crust.Appliance;
using Crust.Isos;
using Crust.Spec;

namespace Crust.Tests.Isos;

public sealed class HybridIsoTests
{
    private static readonly HybridIsoContent Content = new()
    {
        VolumeId = "CRUST_X",
        Title = "Crust X",
        Appliance = new ApplianceImage("/a/vmlinuz", "/a/initramfs.zst", "key") { Arch = Arch.Amd64, BootFolder = "/a/boot" },
        KernelArguments = ["crust.job=x", "console=tty0"],
        Files = [("/crust/root", "/odd=folder/root")],
    };

    private static readonly HybridIsoContent Arm = Content with { Appliance = Content.Appliance with { Arch = Arch.Arm64 } };

    [Test]
    public void The_menu_starts_its_only_entry_by_itself() => Assert.That(HybridIso.Menu(Content), Is.EqualTo("""
        # The signed GRUB of a USB stick starts from the stick's EFI system partition: look for the ISO itself.
        search --no-floppy --set=root --label CRUST_X
        if serial --unit=0 --speed=115200; then
            terminal_input console serial
            terminal_output console serial
        fi
        set timeout=1
        menuentry "Crust X" {
            echo "Loading Crust X ..."
            linux /boot/vmlinuz crust.job=x console=tty0
            initrd /boot/initramfs
        }

        """));

    [Test]
    public void The_menu_for_arm64_leaves_the_serial_port_to_the_firmware() =>
        Assert.That(HybridIso.Menu(Arm), Does.Not.Contain("serial --unit").And.Not.Contain("terminal_").And.Contain("set timeout=1\nmenuentry \"Crust X\" {"));

    [Test]
    public void An_iso_for_arm64_boots_under_UEFI_alone_from_cd_and_stick() =>
        Assert.That(HybridIso.IsoCommand(Arm, "/w/grub.cfg", "/w/info", "/w/esp.img").ToString(), Is.EqualTo(string.Join(' ',
        [
            "xorriso -as mkisofs -quiet -o - -V CRUST_X -r -J -joliet-long -iso-level 3 --set_all_file_dates 2025010100000000 -partition_offset 16 -c boot/boot.cat",
            "-append_partition 2 0xef /w/esp.img -appended_part_as_gpt",
            "-e --interval:appended_partition_2:all:: -no-emul-boot",
            "-graft-points /boot/grub/grub.cfg=/w/grub.cfg /.disk/info=/w/info",
            @"/boot/vmlinuz=/a/vmlinuz /boot/initramfs=/a/initramfs.zst '/crust/root=/odd\=folder/root'",
        ])));

    [Test]
    public void The_esp_for_arm64_has_its_own_programs() =>
        Assert.That(HybridIso.EspCommands(Arm.Appliance, "m", "e").Select(command => command.ToString()).Skip(2).SkipLast(1), Is.EqualTo(new[]
        {
            "mcopy -i e /a/boot/shimaa64.efi ::/EFI/BOOT/BOOTAA64.EFI",
            "mcopy -i e /a/boot/mmaa64.efi ::/EFI/BOOT/mmaa64.efi",
            "mcopy -i e /a/boot/grubaa64.efi ::/EFI/BOOT/grubaa64.efi",
        }));

    [Test]
    public void The_iso_boots_under_both_firmwares_from_cd_and_stick() =>
        Assert.That(HybridIso.IsoCommand(Content, "/w/grub.cfg", "/w/info", "/w/esp.img").ToString(), Is.EqualTo(string.Join(' ',
        [
            "xorriso -as mkisofs -quiet -o - -V CRUST_X -r -J -joliet-long -iso-level 3 --set_all_file_dates 2025010100000000 -partition_offset 16",
            "-b boot/grub/eltorito.img -c boot/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info",
            "--grub2-mbr /a/boot/boot_hybrid.img --mbr-force-bootable",
            "-append_partition 2 0xef /w/esp.img -appended_part_as_gpt",
            "-eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot",
            "-graft-points /boot/grub/eltorito.img=/a/boot/eltorito.img /boot/grub/grub.cfg=/w/grub.cfg /.disk/info=/w/info",
            @"/boot/vmlinuz=/a/vmlinuz /boot/initramfs=/a/initramfs.zst '/crust/root=/odd\=folder/root'",
        ])));

    [Test]
    public void The_esp_has_the_signed_programs_where_any_firmware_looks() =>
        Assert.That(HybridIso.EspCommands(Content.Appliance, "/w/grub.cfg", "/w/esp.img").Select(command => command.ToString()), Is.EqualTo(new[]
        {
            "mformat -i /w/esp.img -C -T 32768 -N 43525354 -v CRUST-EFI ::",
            "mmd -i /w/esp.img ::/EFI ::/EFI/BOOT ::/boot ::/boot/grub",
            "mcopy -i /w/esp.img /a/boot/shimx64.efi ::/EFI/BOOT/BOOTX64.EFI",
            "mcopy -i /w/esp.img /a/boot/mmx64.efi ::/EFI/BOOT/mmx64.efi",
            "mcopy -i /w/esp.img /a/boot/grubx64.efi ::/EFI/BOOT/grubx64.efi",
            "mcopy -i /w/esp.img /w/grub.cfg ::/boot/grub/grub.cfg",
        }));

    [Test]
    public void Fixed_dates_make_the_same_iso_from_the_same_content() =>
        Assert.That(HybridIso.IsoCommand(Content, "m", "i", "e").Environment["SOURCE_DATE_EPOCH"], Is.EqualTo("1735689600"));
}
