using System.Collections.Immutable;
using System.Net;

namespace Crust.Spec;

/// <summary>A processor architecture, by Debian's names.</summary>
public enum Arch
{
    /// <summary>x86-64.</summary>
    Amd64,

    /// <summary>AArch64.</summary>
    Arm64,
}

public enum Firmware
{
    /// <summary>SeaBIOS.</summary>
    Bios,

    /// <summary>OVMF or AAVMF without Secure Boot.</summary>
    Uefi,

    /// <summary>OVMF or AAVMF with Microsoft's keys: it starts only what is signed with them.</summary>
    UefiSecure,
}

public enum Accelerator
{
    /// <summary>KVM where it works, else TCG.</summary>
    Auto,

    /// <summary>KVM, or the build fails.</summary>
    Kvm,

    /// <summary>QEMU's own translator: works everywhere, about ten times slower.</summary>
    Tcg,
}

/// <summary>What a guest's reboot means during an install.</summary>
public enum OnReboot
{
    /// <summary>A failure: installers that Crust runs are to power off.</summary>
    Fail,

    /// <summary>The installer's way of saying that it has finished.</summary>
    Finish,

    /// <summary>Nothing: the machine boots again.</summary>
    Continue,
}

public enum DiskBus
{
    /// <summary>virtio-blk: /dev/vda.</summary>
    Virtio,

    /// <summary>virtio-scsi: /dev/sda.</summary>
    Scsi,

    /// <summary>AHCI, as most PCs have it: /dev/sda. amd64 only.</summary>
    Sata,

    /// <summary>NVMe: /dev/nvme0n1.</summary>
    Nvme,
}

/// <summary>What a machine's network card is connected to.</summary>
public enum MachineNetwork
{
    /// <summary>The internet through this host: DHCP, names and the way out, no way in; and nothing of this host or of private networks.</summary>
    Internet,

    /// <summary>All that this host reaches, and this host itself.</summary>
    Host,

    /// <summary>There is no card.</summary>
    None,
}

internal sealed record MachineSpec
{
    public Arch Arch { get; init; } = Arch.Amd64;

    public Firmware Firmware { get; init; } = Firmware.Bios;

    /// <summary>Virtual CPUs, 1 to 255.</summary>
    public int Cpus { get; init; } = 2;

    /// <summary>Memory in bytes.</summary>
    public long Memory { get; init; } = 4L << 30;

    /// <summary>The disk's size in bytes, a multiple of 512.</summary>
    public long Disk { get; init; } = 100L << 30;

    public DiskBus DiskBus { get; init; } = DiskBus.Virtio;

    /// <summary>Sizes in bytes of empty disks behind the first one, thrown away after the install.</summary>
    public ImmutableArray<long> ExtraDisks { get; init; } = [];

    public MachineNetwork Network { get; init; } = MachineNetwork.Internet;

    /// <summary>Private networks that a guest of <see cref="MachineNetwork.Internet"/> reaches, too.</summary>
    public ImmutableArray<IPNetwork> NetworkAllow { get; init; } = [];

    /// <summary>
    /// Whether an empty extra disk is as large as the one that is installed to, or larger: an installer that takes the largest disk would take it, and what it
    /// installs be thrown away.
    /// </summary>
    public bool HasLargerExtraDisk => ExtraDisks.Any(size => size >= Disk);

    /// <summary>What Linux calls the disk that is installed to, the first on its bus.</summary>
    public string DiskName => DiskBus switch
    {
        DiskBus.Virtio => "/dev/vda",
        DiskBus.Nvme => "/dev/nvme0n1",
        _ => "/dev/sda",
    };

    /// <summary>Whether it has a TPM 2.0.</summary>
    public bool Tpm { get; init; }

    public Accelerator Accelerator { get; init; } = Accelerator.Auto;

    /// <summary>How long a run of the machine may take.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>How long a machine may do nothing: no disk write, no serial output, nothing new on its screen. Twice that while its processors are busy.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>What a guest's reboot means during an install.</summary>
    public OnReboot OnReboot { get; init; } = OnReboot.Fail;
}
