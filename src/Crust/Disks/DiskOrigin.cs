using Crust.Spec;

namespace Crust.Disks;

/// <summary>What an installed disk is made from, as far as what follows has to know it. It needn't know that there was an installer.</summary>
internal record DiskOrigin
{
    /// <summary>Where it came from, as the user named it; "reference installer" for Crust's own.</summary>
    public required string Source { get; init; }

    /// <summary>Its file on this host.</summary>
    public required string Path { get; init; }

    /// <summary>Its SHA-256, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Its volume id (ISO 9660).</summary>
    public required string VolumeId { get; init; }

    /// <summary>Whether it is Crust's reference installer.</summary>
    public required bool IsReference { get; init; }

    /// <summary>The family of systems that it installs; null if it doesn't say so.</summary>
    public SeedProfile? Profile { get; init; }
}
