using System.Text.Json.Nodes;
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
        .. machine.HotPlug ? Enumerable.Range(0, MachineDescription.HotPlugSlots).SelectMany(slot => new[] { "-device", $"pcie-root-port,id={SlotName(slot)},chassis={slot + 1}" }) : [],
        // Where QEMU loads the kernel itself, that comes first by a boot index of its own.
        .. machine.Drives.SelectMany((drive, index) => For(drive, machine, index, machine.DirectBoot is null ? $",bootindex={index}" : "")),
    ];

    /// <summary>For the command `device_add`: what plugs a machine's virtio disk in, whose block nodes are there already.</summary>
    /// <param name="index">The disk's place among the machine's drives, and its slot.</param>
    public static JsonObject PlugIn(int index) => new()
    {
        ["driver"] = "virtio-blk-pci",
        ["bus"] = SlotName(index),
        ["drive"] = $"drive{index}",
        ["werror"] = "stop",
        ["rerror"] = "stop",
    };

    private static string SlotName(int slot) => $"slot{slot}";

    private static bool IsScsi(Drive drive, Arch arch) => drive is Drive.Disk { Bus: DiskBus.Scsi } || (drive is Drive.Cdrom && !HasAhci(arch));

    // q35 brings a controller with 6 ports (ide.0 to ide.5); virt brings none.
    private static bool HasAhci(Arch arch) => arch is Arch.Amd64;

    private static string[] For(Drive drive, MachineDescription machine, int index, string bootIndex) => drive switch
    {
        Drive.Disk { ReadOnly: true } disk =>
        [
            .. ReadOnly(disk.File, index),
            .. machine.Restored is null ? new[] { "-device", DiskDevice(disk, index, machine.HotPlug ? $",bus={SlotName(index)}" : bootIndex) } : [],
        ],
        // The disk is disposable until the guest is off: no flush of the guest's reaches the host's disk (cache=unsafe).
        Drive.Disk disk =>
        [
            "-blockdev", $"driver=file,node-name=file{index},filename={Escape(disk.File)},discard=unmap,cache.no-flush=on",
            "-blockdev", $"driver={disk.Format},node-name=drive{index},file=file{index},discard=unmap,detect-zeroes=unmap,cache.no-flush=on",
            // A restored machine has the devices that it was saved with; its disks are plugged in then.
            .. machine.Restored is null ? new[] { "-device", DiskDevice(disk, index, machine.HotPlug ? $",bus={SlotName(index)}" : bootIndex) } : [],
        ],
        Drive.Cdrom cd =>
        [
            .. ReadOnly(cd.File, index),
            "-device", $"{(HasAhci(machine.Arch) ? $"ide-cd,bus=ide.{index}" : "scsi-cd,bus=scsi.0")},drive=drive{index}{bootIndex}",
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
