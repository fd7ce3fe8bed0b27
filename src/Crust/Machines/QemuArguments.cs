using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>Paths that QEMU is given beside the machine's description: where Crust listens, and this machine's UEFI variables.</summary>
/// <param name="Qmp">Socket for QMP.</param>
/// <param name="Serial">Socket for the first serial port.</param>
/// <param name="Word">Socket for the virtio-serial port by which Crust's own guests speak.</param>
/// <param name="Firmware">UEFI firmware whose variables are this machine's own copy; null for BIOS.</param>
internal sealed record QemuEndpoints(string Qmp, string Serial, string Word, FirmwareImage? Firmware);

/// <summary>Builds QEMU's argv. A pure function; its output is pinned by golden files.</summary>
internal static class QemuArguments
{
    /// <summary>The name of the virtio-serial port by which Crust's own guests say how they fare.</summary>
    public const string WordPort = "org.crust.word";

    /// <summary>QEMU's program for an architecture.</summary>
    public static string ProgramFor(Arch arch) => arch is Arch.Amd64 ? "qemu-system-x86_64" : "qemu-system-aarch64";

    /// <summary>The argv without the program. Each option and its value are neighbours.</summary>
    public static ImmutableArray<string> For(MachineDescription machine, QemuEndpoints endpoints) =>
    [
        "-name", $"crust-{machine.Name}",
        "-no-user-config",
        "-nodefaults",
        "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
        "-machine", $"{(machine.Arch is Arch.Amd64 ? "q35" : "virt")},accel={(machine.Accelerator is Accelerator.Kvm ? "kvm" : "tcg")}{(machine.SecureBoot ? ",smm=on" : "")}",
        // QEMU's default CPU lacks what today's distributions are compiled for.
        "-cpu", machine.Accelerator is Accelerator.Kvm ? "host" : "max",
        "-smp", $"{machine.Cpus}",
        "-m", $"{machine.Memory >> 20}M",
        "-rtc", "base=utc",
        // The guest waits for Crust's 'cont': QMP tells no events before its greeting is answered, and a quick guest is off by then.
        "-S",
        "-display", "none",
        .. machine.Arch is Arch.Amd64 ? new[] { "-vga", "std" } : ["-device", "virtio-gpu-pci"],
        .. FirmwareArguments(endpoints.Firmware),
        // Only the firmware itself, in system management mode, may write its variables: otherwise the guest could put in keys of its own.
        .. machine.SecureBoot ? new[] { "-global", "driver=cfi.pflash01,property=secure,value=on" } : [],
        "-chardev", $"socket,id=qmp,path={Escape(endpoints.Qmp)}",
        "-mon", "chardev=qmp,mode=control",
        "-chardev", $"socket,id=serial,path={Escape(endpoints.Serial)}",
        "-serial", "chardev:serial",
        "-device", "virtio-serial-pci",
        "-chardev", $"socket,id=word,path={Escape(endpoints.Word)}",
        "-device", $"virtserialport,chardev=word,name={WordPort}",
        "-device", machine.Arch is Arch.Amd64 ? "pvpanic" : "pvpanic-pci",
        // The machine stops in each case and waits: Crust reads its last state and ends it.
        "-action", $"reboot={(machine.AllowReset ? "reset" : "shutdown")},shutdown=pause,panic=pause",
        "-object", "rng-random,id=entropy,filename=/dev/urandom",
        "-device", "virtio-rng-pci,rng=entropy",
        .. machine.Drives.Any(drive => drive is Drive.UsbStick) ? new[] { "-device", "qemu-xhci,id=usb" } : [],
        .. machine.Drives.SelectMany((drive, index) => DriveArguments(drive, index, machine.DirectBoot is null ? $",bootindex={index}" : "")),
        .. NetworkArguments(machine),
        .. machine.DirectBoot is { } boot
            ? new[] { "-kernel", boot.Kernel, "-initrd", boot.Initramfs, "-append", string.Join(' ', boot.Arguments) }
            : [],
    ];

    private static string[] FirmwareArguments(FirmwareImage? firmware) => firmware is null
        ? []
        :
        [
            "-drive", $"if=pflash,unit=0,format=raw,readonly=on,file={Escape(firmware.Code)}",
            "-drive", $"if=pflash,unit=1,format=raw,file={Escape(firmware.Variables)}",
        ];

    // Where QEMU loads the kernel itself, that comes first by a boot index of its own.
    private static string[] DriveArguments(Drive drive, int index, string bootIndex) => drive switch
    {
        // The disk is disposable until the guest is off: no flush of the guest's reaches the host's disk (cache=unsafe).
        Drive.Disk disk =>
        [
            "-blockdev", $"driver=file,node-name=file{index},filename={Escape(disk.File)},discard=unmap,cache.no-flush=on",
            "-blockdev", $"driver={disk.Format},node-name=drive{index},file=file{index},discard=unmap,detect-zeroes=unmap,cache.no-flush=on",
            "-device", $"virtio-blk-pci,drive=drive{index}{bootIndex},werror=stop,rerror=stop{(disk.Serial is null ? "" : $",serial={Escape(disk.Serial)}")}",
        ],
        Drive.Cdrom cd =>
        [
            .. ReadOnly(cd.File, index),
            "-device", $"ide-cd,bus=ide.{index},drive=drive{index}{bootIndex}",
        ],
        Drive.UsbStick stick =>
        [
            .. ReadOnly(stick.File, index),
            "-device", $"usb-storage,bus=usb.0,drive=drive{index}{bootIndex}",
        ],
        _ => throw new ArgumentOutOfRangeException(nameof(drive)),
    };

    private static string[] ReadOnly(string file, int index) =>
    [
        "-blockdev", $"driver=file,node-name=file{index},filename={Escape(file)},read-only=on",
        "-blockdev", $"driver=raw,node-name=drive{index},file=file{index},read-only=on",
    ];

    private static string[] NetworkArguments(MachineDescription machine) => machine.Network
        ?
        [
            "-netdev", $"user,id=net{(machine.ForwardSsh ? ",hostfwd=tcp:127.0.0.1:0-:22" : "")}",
            // No boot ROM: an empty disk must end at the firmware's message, not in minutes of PXE.
            "-device", "virtio-net-pci,netdev=net,romfile=",
        ]
        : [];

    // In QEMU's option syntax a comma in a value is doubled.
    private static string Escape(string value) => value.Replace(",", ",,");
}
