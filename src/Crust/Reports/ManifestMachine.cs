using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Reports;

/// <summary>The machine, as the manifest has it.</summary>
internal sealed record ManifestMachine
{
    /// <summary>`amd64` or `arm64`.</summary>
    public required string Arch { get; init; }

    /// <summary>`bios`, `uefi` or `uefi-secure`.</summary>
    public required string Firmware { get; init; }

    /// <summary>Virtual CPUs.</summary>
    public required int Cpus { get; init; }

    /// <summary>Memory in bytes.</summary>
    public required long Memory { get; init; }

    /// <summary>The disk's size in bytes.</summary>
    public required long Disk { get; init; }

    /// <summary>What the disk hung on: `virtio`, `scsi`, `sata` or `nvme`.</summary>
    public string DiskBus { get; init; } = Spec.DiskBus.Virtio.LowerName();

    /// <summary>Sizes in bytes of the disks beside it.</summary>
    public ImmutableArray<long> ExtraDisks { get; init; } = [];

    /// <summary>`internet`, `host` or `none`; `user`, by a Crust whose guests reached this host.</summary>
    public string Network { get; init; } = MachineNetwork.Internet.LowerName();

    /// <summary>Whether it had a TPM.</summary>
    public bool Tpm { get; init; }
}
