using Crust.Spec;

namespace Crust.Disks;

/// <summary>What an installed disk is made from, as far as what follows has to know it: an installer, or a base image.</summary>
internal abstract record DiskOrigin
{
    /// <summary>Where it came from, as the user named it; "reference installer" for Crust's own.</summary>
    public required string Source { get; init; }

    /// <summary>Its file on this host.</summary>
    public required string Path { get; init; }

    /// <summary>Its SHA-256, 64 lower-case hex digits.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>About how many bytes it leaves on the disk; null where only its size tells.</summary>
    public long? Data { get; init; }

    /// <summary>What the images are called where the spec doesn't name them.</summary>
    public required string BaseName { get; init; }

    /// <summary>What it is: `installer` or `base`.</summary>
    public abstract string Kind { get; }

    /// <summary>What its file is, in a few words: `volume ‘EDGE’`, `qcow2`.</summary>
    public abstract string Form { get; }

    /// <summary>Whether it is a base image, so that no installer runs.</summary>
    public bool IsBase => Kind == BaseKind;

    /// <summary>Whether it is Crust's reference installer.</summary>
    public bool IsReference { get; init; }

    /// <summary>The family of systems that it installs; null if it doesn't say so.</summary>
    public SeedProfile? Profile { get; init; }

    /// <summary>Whether free space of a disk that is made from it was never written, so that there is none to discard.</summary>
    public virtual bool LeavesFreeSpaceClean => false;

    internal const string InstallerKind = "installer";

    internal const string BaseKind = "base";
}

/// <summary>What is known at once of what a disk will be made from.</summary>
/// <param name="Size">Its size in bytes, perhaps only about; null if it isn't known.</param>
/// <param name="Origin">The thing itself, if it is on this host and its checksum is known; else null.</param>
/// <param name="BaseName">What the images are called where the spec doesn't name them.</param>
internal sealed record SourceGlance(long? Size, DiskOrigin? Origin, string BaseName)
{
    /// <summary>The SHA-256 in lower-case hex that a file which isn't here must have; null if the spec doesn't say it.</summary>
    public string? Promised { get; init; }
}
