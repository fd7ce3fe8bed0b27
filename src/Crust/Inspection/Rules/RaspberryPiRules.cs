using Crust.Disks;
using Crust.Inspection.Evidence;
using Crust.Spec;
using static Crust.Inspection.Rules.DiskRules;

namespace Crust.Inspection.Rules;

/// <summary>
/// Whether the firmware of a Raspberry Pi 4 and 5 finds on the boot partition what it asks for ("Raspberry Pi boot modes" in Raspberry Pi's documentation). No real board says so here: docs/raspberry-pi.md.
/// </summary>
internal static class RaspberryPiRules
{
    // That of Debian's 6.12 has 6.8 kB and lacks PCIe and RP1, with all that is behind them; that of 6.18 has 22 kB.
    private const long SmallestPi5Tree = 16 << 10;

    public static IEnumerable<DiskFinding> Check(JudgedDisk disk) => disk.Volumes.Where(volume => volume.Board is not null).SelectMany(volume => Check(disk, volume, volume.Board!));

    private static IEnumerable<DiskFinding> Check(JudgedDisk disk, VolumeEvidence volume, PiBootEvidence boot)
    {
        var where = volume.NameAmong(disk.Volumes);
        var (pi4, pi5) = (boot.StartOf(PiModel.Pi4), boot.StartOf(PiModel.Pi5));
        if (PiModel.Pi4.Firmware.FirstOrDefault(file => boot.LengthOf(file) is null) is { } missing)
            yield return Warn("pi4-firmware", $"A Pi 4 won't boot: its firmware's {missing} is missing", where, "install raspi-firmware (Debian's non-free-firmware): start4.elf and fixup4.dat of one version");
        if (boot.LengthOf(pi4.Tree) is null)
            yield return Warn("pi4-dtb", $"A Pi 4 won't boot: missing DTB for Pi 4 ({pi4.Tree})", where, "put the device trees of the very kernel there");
        if (boot.LengthOf(pi5.Tree) is not { } tree)
            yield return Warn("pi5-dtb", $"A Pi 5 won't boot: missing DTB for Pi 5 ({pi5.Tree})", where, "take a kernel that has it, with its own device trees: Debian's of trixie-backports, or Raspberry Pi's");
        else if (tree < SmallestPi5Tree)
            yield return Warn("pi5-old-kernel", $"A Pi 5 reaches neither its SD card nor PCIe, USB and network: the kernel is too old, and its DTB has {Size.Format(tree)}", $"{pi5.Tree} on {where}",
                "take a kernel of 6.18 or newer, such as Debian's of trixie-backports");

        foreach (var (start, models) in new[] { (pi4, "a Pi 4"), (pi5, "a Pi 5") }.GroupBy(one => one.Item1.Kernel, one => one).Select(same => (same.First().Item1, string.Join(" and ", same.Select(one => one.Item2)))))
        {
            if (boot.LengthOf(start.Kernel) is null)
                yield return Warn("pi-kernel", $"The kernel of {models} isn't there: {start.Kernel}", $"config.txt on {where}", "let config.txt name a kernel of the boot partition (kernel=)");
            else if (start.Initramfs is { } initramfs && boot.LengthOf(initramfs) is null)
                yield return Warn("pi-initramfs", $"The initramfs of {models} isn't there: {initramfs}", $"config.txt on {where}", "let config.txt name an initramfs of the boot partition (initramfs FILE, without an equals sign)");
        }

        if (RootOf(boot) is { } root && !disk.Volumes.Any(other => string.Equals(other.PartitionUuid, root, StringComparison.OrdinalIgnoreCase)))
            yield return Warn("pi-root", $"The kernel looks for its root on a partition that isn't on this disk: PARTUUID={root}", $"cmdline.txt on {where}", "write the root's PARTUUID of this disk there, and into /etc/fstab");
        if (volume.Space is { } space && NextOf(boot, pi4) is var next && next > space.Free)
            yield return Warn("pi-boot-space", $"The boot partition is too small: a second kernel takes {Size.Format(next)}, and {Size.Format(space.Free)} are free", where, "make the boot partition 512 MiB or larger, or the initramfs smaller");
    }

    private static string? RootOf(PiBootEvidence boot) => boot.CommandLine?.Where(word => word.StartsWith("root=PARTUUID=", StringComparison.Ordinal)).Select(word => word["root=PARTUUID=".Length..]).LastOrDefault();

    // What the next version takes, which is about what this one does.
    private static long NextOf(PiBootEvidence boot, PiStart start) => (boot.LengthOf(start.Kernel) ?? 0) + (start.Initramfs is { } initramfs ? boot.LengthOf(initramfs) ?? 0 : 0);
}
