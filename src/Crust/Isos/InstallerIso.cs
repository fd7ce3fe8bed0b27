using Crust.Disks;
using Crust.Spec;

namespace Crust.Isos;

/// <summary>An installer ISO on this host, checked to be bootable ISO 9660.</summary>
internal sealed record InstallerIso
{
    /// <summary>Where it is.</summary>
    public required string Path { get; init; }

    /// <summary>Its SHA-256, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>The volume id of ISO 9660.</summary>
    public required string VolumeId { get; init; }

    /// <summary>Whether it has an El Torito boot image for BIOS.</summary>
    public required bool BootsBios { get; init; }

    /// <summary>Whether it has an El Torito boot image for UEFI.</summary>
    public required bool BootsUefi { get; init; }

    /// <summary>What the images are called where the spec doesn't name them.</summary>
    public required string BaseName { get; init; }

    /// <summary>Whether it is Crust's reference installer.</summary>
    public required bool IsReference { get; init; }

    /// <summary>The family of systems that it installs; null if it doesn't say so.</summary>
    public SeedProfile? Profile { get; init; }

    /// <summary>The smallest disk it can install to, in bytes; null where that isn't known.</summary>
    public long? MinimumDisk { get; init; }

    /// <summary>The least memory that it installs in, in bytes; null if nobody knows.</summary>
    public long? MinimumMemory { get; init; }

    /// <summary>Where it came from, as the user named it; "reference installer" for Crust's own.</summary>
    public required string Source { get; init; }

    /// <summary>The same for what follows the install, which needn't know that there was an installer.</summary>
    public DiskOrigin Origin => new() { Source = Source, Path = Path, Sha256 = Sha256, Size = Size, VolumeId = VolumeId, IsReference = IsReference, Profile = Profile };
}
