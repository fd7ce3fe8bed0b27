using System.Text.RegularExpressions;
using Crust.Disks;
using static Crust.Inspection.Rules.DiskRules;

namespace Crust.Inspection.Rules;

/// <summary>What would keep the disk from booting elsewhere, and what couldn't be read.</summary>
internal static partial class BootRules
{
    public static IEnumerable<DiskFinding> Check(JudgedDisk disk)
    {
        var (boot, volumes) = (disk.Facts.Boot, disk.Facts.Volumes);
        var isReadable = volumes.All(volume => volume.Unread is null);
        if (boot is { Bios: null, Uefi: [] } && isReadable && !disk.IsForPi && volumes.Any(volume => volume.FileSystem is not null))
            yield return Warn("no-boot-loader", "The disk has no boot loader: no boot code in its first sector, no program in an EFI system partition", "the disk", "let the installer install one");
        if (boot is { Bios: null, Uefi.IsEmpty: false, UefiFallback: false })
            yield return Warn("no-fallback", "Only a machine whose firmware has an entry for it finds the boot loader: it isn't under EFI/BOOT", boot.Uefi[0],
                "let the installer put it on the removable path, too (Debian: grub-efi-amd64 grub2/force_efi_extra_removable boolean true)");
        if (boot is { Bios: "GRUB", BiosPartition: false })
            yield return Warn("no-grub-core", "GRUB's boot code is there, but the partition for its core is empty: it doesn't boot under BIOS", "the disk",
                "let the installer run grub-install for i386-pc");

        foreach (var (system, facts) in disk.All)
        {
            if (facts.Kernels.IsEmpty && isReadable && boot.Kernels.IsEmpty && !boot.Uefi.Any(IsKernelProgram))
                yield return Warn("no-kernel", $"{facts.Name} has no kernel", At(facts, "/boot"), "let the installer install one");
            if (system.Mounts.Select(mount => mount.What).FirstOrDefault(what => DeviceName().IsMatch(what)) is { } device)
                yield return Warn("device-name", $"/etc/fstab names {device}: where the disk hangs on another bus, it has another name", At(facts, "/etc/fstab"),
                    "let the installer name file systems by UUID or label");
        }

        foreach (var volume in volumes.Where(volume => volume.Unread is not null))
            yield return Note("unread", $"What is on {volume.Name} wasn't read: {volume.Unread}", volume.Name);
    }

    /// <summary>Whether a UEFI program is a kernel by its place: unified kernel images (UAPI.5, "Boot Loader Specification", type 2) and Kairos' own.</summary>
    internal static bool IsKernelProgram(string path) => KernelProgram().IsMatch(path);

    [GeneratedRegex("^EFI/(Linux|kairos)/[^/]+[.]efi$", RegexOptions.IgnoreCase)]
    private static partial Regex KernelProgram();

    [GeneratedRegex("^/dev/(sd[a-z]|vd[a-z]|hd[a-z]|xvd[a-z]|nvme[0-9]|mmcblk[0-9])")]
    private static partial Regex DeviceName();
}
