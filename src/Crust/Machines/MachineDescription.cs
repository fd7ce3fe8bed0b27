using System.Collections.Immutable;
using System.Net;
using Crust.Spec;

namespace Crust.Machines;

/// <summary>A virtual machine as a value: all that decides its hardware.</summary>
internal sealed record MachineDescription
{
    /// <summary>What the machine is called in QEMU's process title and in logs.</summary>
    public required string Name { get; init; }

    public Arch Arch { get; init; } = Arch.Amd64;

    public Firmware Firmware { get; init; } = Firmware.Bios;

    /// <summary>What runs its instructions: <see cref="Accelerator.Kvm"/> or <see cref="Accelerator.Tcg"/>.</summary>
    public required Accelerator Accelerator { get; init; }

    public int Cpus { get; init; } = 2;

    /// <summary>Memory in bytes.</summary>
    public long Memory { get; init; } = 2L << 30;

    /// <summary>The drives in boot order: a disk before the installer's CD, so that a reboot during an install boots the disk.</summary>
    public required ImmutableArray<Drive> Drives { get; init; }

    /// <summary>The kernel that it starts with, in place of a boot loader on one of its drives; null for none.</summary>
    public DirectBoot? DirectBoot { get; init; }

    /// <summary>What its network card reaches. It is behind QEMU's user network: guests reach out and aren't reached.</summary>
    public MachineNetwork Network { get; init; } = MachineNetwork.Internet;

    /// <summary>Private networks that a guest of <see cref="MachineNetwork.Internet"/> reaches, too.</summary>
    public ImmutableArray<IPNetwork> NetworkAllow { get; init; } = [];

    /// <summary>A TPM 2.0, whose state is this machine's own and begins empty.</summary>
    public bool Tpm { get; init; }

    /// <summary>What its guest finds in QEMU's fw_cfg device.</summary>
    public ImmutableArray<FirmwareFile> FirmwareFiles { get; init; } = [];

    /// <summary>Where its screen is to be seen.</summary>
    public GuestDisplay Display { get; init; } = new GuestDisplay.None();

    /// <summary>Forwards a free TCP port of 127.0.0.1, chosen by the kernel, to the guest's port 22.</summary>
    public bool ForwardSsh { get; init; }

    /// <summary>Whether disks come into slots into which they can be plugged while the machine runs, at most <see cref="HotPlugSlots"/>, so that it can be saved without them.</summary>
    public bool HotPlug { get; init; }

    /// <summary>The saved machine as which it starts; null for one that boots.</summary>
    public SavedMachine? Restored { get; init; }

    /// <summary>How many disks a machine with <see cref="HotPlug"/> may have.</summary>
    public const int HotPlugSlots = 4;

    /// <summary>Whether a guest's reset is let through; otherwise it ends the machine.</summary>
    public bool AllowReset { get; init; }
}

/// <summary>A Linux kernel that QEMU itself loads.</summary>
/// <param name="Initramfs">The initramfs' path; null for none.</param>
internal sealed record DirectBoot(string Kernel, string? Initramfs, ImmutableArray<string> Arguments);

internal abstract record Drive
{
    private Drive()
    {
    }

    public required string File { get; init; }

    /// <summary>A disk. <paramref name="Format"/> is QEMU's driver name: `raw`, `qcow2`.</summary>
    public sealed record Disk(string Format) : Drive
    {
        public DiskBus Bus { get; init; } = DiskBus.Virtio;

        /// <summary>Whether its guest can only read it.</summary>
        public bool ReadOnly { get; init; }

        /// <summary>Its serial number, at most 20 characters; null for none.</summary>
        public string? Serial { get; init; }
    }

    /// <summary>A CD, read-only: on AHCI, on arm64 on virtio-scsi.</summary>
    public sealed record Cdrom : Drive;

    /// <summary>A read-only USB stick.</summary>
    public sealed record UsbStick : Drive;
}
