using Crust.Disks;

namespace Crust.Isos;

/// <summary>An installer ISO on this host, checked to be bootable ISO 9660: the origin of a disk, and what it takes to boot it.</summary>
internal sealed record InstallerIso : DiskOrigin
{
    /// <summary>Its volume id (ISO 9660).</summary>
    public required string VolumeId { get; init; }

    public override string Kind => InstallerKind;

    public override string Form => $"volume ‘{VolumeId}’";

    /// <summary>Whether it has an El Torito boot image for BIOS.</summary>
    public required bool BootsBios { get; init; }

    /// <summary>Whether it has an El Torito boot image for UEFI.</summary>
    public required bool BootsUefi { get; init; }

    /// <summary>The smallest disk it can install to, in bytes; null where that isn't known.</summary>
    public long? MinimumDisk { get; init; }

    /// <summary>The least memory that it installs in, in bytes; null where that isn't known.</summary>
    public long? MinimumMemory { get; init; }
}
