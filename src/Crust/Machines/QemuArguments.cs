using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>Paths that QEMU is given beside the machine's description: where Crust listens, and this machine's UEFI variables.</summary>
/// <param name="Serial">Pipe for the first serial port; QEMU adds `.in` and `.out`.</param>
/// <param name="Word">Socket for the virtio-serial port by which Crust's own guests speak.</param>
/// <param name="Firmware">UEFI firmware whose variables are this machine's own copy; null for BIOS.</param>
internal sealed record QemuEndpoints(string Qmp, string Serial, string Word, FirmwareImage? Firmware)
{
    /// <summary>Socket on which the TPM's emulator listens, for a machine with a TPM.</summary>
    public string Tpm { get; init; } = "";

    /// <summary>Socket on which QEMU is to listen for VNC viewers, for a machine that is shown so.</summary>
    public string Vnc { get; init; } = "";

    /// <summary>Socket that gets the frames which the guest sends, where Crust decides over them.</summary>
    public string Sent { get; init; } = "";

    /// <summary>Socket for those that may go on.</summary>
    public string Passed { get; init; } = "";

    /// <summary>Socket for frames to the guest.</summary>
    public string Answered { get; init; } = "";
}

/// <summary>Builds QEMU's argv. A pure function; its output is pinned by golden files.</summary>
internal static class QemuArguments
{
    /// <summary>The name of the virtio-serial port by which Crust's own guests say how they fare.</summary>
    public const string WordPort = "org.crust.word";

    /// <summary>QEMU's object that hands frames of the guest to Crust.</summary>
    public const string GateFilter = "filter-redirector";

    // Pointers are signed by the architecture's own cipher, which is slow to emulate, unless another is asked for.
    private const string EmulatedArmCpu = "max,pauth-impdef=on";

    // Where the processor says that it is quick at them, Linux and glibc copy and clear by string instructions a byte wide, which are emulated byte by byte. Without, a boot of Debian
    // takes a sixth less of this host's processor time.
    private const string EmulatedCpu = "max,-erms,-fsrm";

    public static string ProgramFor(Arch arch) => arch is Arch.Amd64 ? "qemu-system-x86_64" : "qemu-system-aarch64";

    /// <summary>The argv without the program. Each option and its value are neighbours.</summary>
    public static ImmutableArray<string> For(MachineDescription machine, QemuEndpoints endpoints) =>
    [
        "-name", $"crust-{machine.Name}",
        "-no-user-config",
        "-nodefaults",
        // A window's libraries start programs of their own.
        "-sandbox", $"on,obsolete=deny,elevateprivileges=deny{(machine.Display is GuestDisplay.Window ? "" : ",spawn=deny")},resourcecontrol=deny",
        "-machine", $"{MachineType(machine)},accel={(machine.Accelerator is Accelerator.Kvm ? "kvm" : "tcg")}{(HasSystemManagementMode(machine) ? ",smm=on" : "")}",
        // QEMU's default CPU lacks what today's distributions are compiled for.
        "-cpu", machine.Accelerator is Accelerator.Kvm ? "host" : machine.Arch is Arch.Amd64 ? EmulatedCpu : EmulatedArmCpu,
        "-smp", $"{machine.Cpus}",
        "-m", $"{machine.Memory >> 20}M",
        "-rtc", "base=utc",
        // The guest waits for Crust's 'cont': QMP tells no events before its greeting is answered, and a quick guest is off by then.
        "-S",
        "-display", DisplayArgument(machine.Display, endpoints),
        .. machine.Arch is Arch.Amd64 ? new[] { "-vga", "std" } : ["-device", "virtio-gpu-pci"],
        .. FirmwareArguments(endpoints.Firmware),
        // Only the firmware itself, in system management mode, may write its variables: otherwise the guest could put in keys of its own.
        .. HasSystemManagementMode(machine) ? new[] { "-global", "driver=cfi.pflash01,property=secure,value=on" } : [],
        "-chardev", $"socket,id=qmp,path={Escape(endpoints.Qmp)}",
        "-mon", "chardev=qmp,mode=control",
        "-chardev", $"pipe,id=serial,path={Escape(endpoints.Serial)}",
        "-serial", "chardev:serial",
        "-device", "virtio-serial-pci",
        "-chardev", $"socket,id=word,path={Escape(endpoints.Word)}",
        "-device", $"virtserialport,chardev=word,name={WordPort}",
        "-device", machine.Arch is Arch.Amd64 ? "pvpanic" : "pvpanic-pci",
        // The machine stops in each case and waits: Crust reads its last state and ends it.
        "-action", $"reboot={(machine.AllowReset ? "reset" : "shutdown")},shutdown=pause,panic=pause",
        "-object", "rng-random,id=entropy,filename=/dev/urandom",
        "-device", "virtio-rng-pci,rng=entropy",
        // A new generation ID at each start is how a restored Linux learns that its random numbers are another machine's, too.
        .. machine.HotPlug ? new[] { "-device", "vmgenid,guid=auto" } : [],
        .. DriveArguments.For(machine),
        .. HasUsbKeyboard(machine) ? new[] { "-device", "usb-kbd,bus=usb.0" } : [],
        .. NetworkArguments(machine, endpoints),
        .. machine.Tpm ? TpmArguments(machine.Arch, endpoints.Tpm) : [],
        .. machine.FirmwareFiles.SelectMany(file => new[] { "-fw_cfg", $"name={Escape(file.Name)},file={Escape(file.Path)}" }),
        .. machine.DirectBoot is { } boot
            ? ["-kernel", boot.Kernel, .. boot.Initramfs is null ? [] : new[] { "-initrd", boot.Initramfs }, "-append", string.Join(' ', boot.Arguments)]
            : Array.Empty<string>(),
        // The state comes over QEMU's standard input.
        .. machine.Restored is null ? Array.Empty<string>() : ["-incoming", "fd:0"],
    ];

    private static string MachineType(MachineDescription machine) => machine.Restored?.MachineType ?? (machine.Arch is Arch.Amd64 ? "q35" : "virt,gic-version=max");

    /// <summary>Whether its keyboard is on USB; q35 brings another.</summary>
    public static bool HasUsbKeyboard(MachineDescription machine) => machine.Arch is Arch.Arm64;

    // Secure Boot on arm64 does without: virt has no such mode.
    private static bool HasSystemManagementMode(MachineDescription machine) => machine is { Firmware: Firmware.UefiSecure, Arch: Arch.Amd64 };

    private static string[] FirmwareArguments(FirmwareImage? firmware) => firmware is null
        ? []
        :
        [
            "-drive", $"if=pflash,unit=0,format=raw,readonly=on,file={Escape(firmware.Code)}",
            "-drive", $"if=pflash,unit=1,format=raw,file={Escape(firmware.Variables)}",
        ];

    private static string DisplayArgument(GuestDisplay display, QemuEndpoints endpoints) => display switch
    {
        // A closed window would end the machine.
        GuestDisplay.Window window => $"{window.Kind},window-close=off",
        GuestDisplay.VncSocket => $"vnc=unix:{Escape(endpoints.Vnc)}",
        _ => "none",
    };

    private static string[] TpmArguments(Arch arch, string socket) =>
    [
        "-chardev", $"socket,id=tpm,path={Escape(socket)}",
        "-tpmdev", "emulator,id=tpm,chardev=tpm",
        // virt has no ISA bus, and no CRB interface in QEMU.
        "-device", arch is Arch.Amd64 ? "tpm-crb,tpmdev=tpm" : "tpm-tis-device,tpmdev=tpm",
    ];

    private static string[] NetworkArguments(MachineDescription machine, QemuEndpoints endpoints) => machine.Network is MachineNetwork.None
        ? []
        :
        [
            "-netdev", $"user,id=net{(machine.ForwardSsh ? ",hostfwd=tcp:127.0.0.1:0-:22" : "")}",
            // No boot ROM: an empty disk must end at the firmware's message, not in minutes of PXE.
            "-device", "virtio-net-pci,netdev=net,romfile=",
            .. machine.Network is MachineNetwork.Internet ? GateArguments(endpoints) : [],
        ];

    // Each frame that the user network would get from the guest goes to Crust, and only what Crust gives back goes on; Crust answers the guest in place of what doesn't.
    private static string[] GateArguments(QemuEndpoints endpoints) =>
    [
        "-chardev", $"socket,id=sent,path={Escape(endpoints.Sent)}",
        "-chardev", $"socket,id=passed,path={Escape(endpoints.Passed)}",
        "-chardev", $"socket,id=answered,path={Escape(endpoints.Answered)}",
        "-object", $"{GateFilter},id=gate,netdev=net,queue=rx,outdev=sent,indev=passed",
        "-object", $"{GateFilter},id=answers,netdev=net,queue=tx,indev=answered",
    ];

    /// <summary>A value in QEMU's option syntax, where a comma in it is doubled.</summary>
    public static string Escape(string value) => value.Replace(",", ",,");
}
