using Crust.Spec;
using static Crust.Machines.QemuArguments;

namespace Crust.Machines;

/// <summary>The part of QEMU's argv that is about drives.</summary>
internal static class DriveArguments
{
    /// <summary>Controllers, then the drives in boot order.</summary>
    public static IEnumerable<string> For(MachineDescription machine) =>
    [
        .. machine.Drives.Any(drive => drive is Drive.UsbStick) || HasUsbKeyboard(machine) ? new[] { "-device", "qemu-xhci,id=usb" } : [],
        .. machine.Drives.Any(drive => IsScsi(drive, machine.Arch)) ? new[] { "-device", "virtio-scsi-pci,id=scsi" } : [],
        // Where QEMU loads the kernel itself, that comes first by a boot index of its own.
        .. machine.Drives.SelectMany((drive, index) => For(drive, machine.Arch, index, machine.DirectBoot is null ? $",bootindex={index}" : "")),
    ];

    private static bool IsScsi(Drive drive, Arch arch) => drive is Drive.Disk { Bus: DiskBus.Scsi } || (drive is Drive.Cdrom && !HasAhci(arch));

    // q35 brings a controller with 6 ports (ide.0 to ide.5); virt brings none.
    private static bool HasAhci(Arch arch) => arch is Arch.Amd64;

    private static string[] For(Drive drive, Arch arch, int index, string bootIndex) => drive switch
    {
        // The disk is disposable until the guest is off: no flush of the guest's reaches the host's disk (cache=unsafe).
        Drive.Disk disk =>
        [
            "-blockdev", $"driver=file,node-name=file{index},filename={Escape(disk.File)},discard=unmap,cache.no-flush=on",
            "-blockdev", $"driver={disk.Format},node-name=drive{index},file=file{index},discard=unmap,detect-zeroes=unmap,cache.no-flush=on",
            "-device", DiskDevice(disk, index, bootIndex),
        ],
        Drive.Cdrom cd =>
        [
            .. ReadOnly(cd.File, index),
            "-device", $"{(HasAhci(arch) ? $"ide-cd,bus=ide.{index}" : "scsi-cd,bus=scsi.0")},drive=drive{index}{bootIndex}",
        ],
        Drive.UsbStick stick =>
        [
            .. ReadOnly(stick.File, index),
            "-device", $"usb-storage,bus=usb.0,drive=drive{index}{bootIndex}",
        ],
        _ => throw new ArgumentOutOfRangeException(nameof(drive)),
    };

    private static string DiskDevice(Drive.Disk disk, int index, string bootIndex)
    {
        const string StopOnError = ",werror=stop,rerror=stop";
        var rest = $",drive=drive{index}{bootIndex}";
        var serial = disk.Serial is null ? "" : $",serial={Escape(disk.Serial)}";
        return disk.Bus switch
        {
            DiskBus.Virtio => $"virtio-blk-pci{rest}{StopOnError}{serial}",
            DiskBus.Scsi => $"scsi-hd,bus=scsi.0{rest}{StopOnError}{serial}",
            DiskBus.Sata => $"ide-hd,bus=ide.{index}{rest}{StopOnError}{serial}",
            // It has no werror: an error of the host's disk reaches the guest. It isn't made without a serial number.
            DiskBus.Nvme => $"nvme{rest},serial={Escape(disk.Serial ?? $"crust{index}")}",
            _ => throw new ArgumentOutOfRangeException(nameof(disk)),
        };
    }

    private static string[] ReadOnly(string file, int index) =>
    [
        "-blockdev", $"driver=file,node-name=file{index},filename={Escape(file)},read-only=on",
        "-blockdev", $"driver=raw,node-name=drive{index},file=file{index},read-only=on",
    ];
}
