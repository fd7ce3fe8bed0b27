using Crust.Disks;

namespace Crust.Bases;

/// <summary>A disk image on this host that a build starts from, or the archive of a root file system.</summary>
internal sealed record BaseImage : DiskOrigin
{
    /// <summary>The kind of file: `img`, `qcow2`, `tar`; where it is compressed, `xz`.</summary>
    public required string FileKind { get; init; }

    /// <summary>Whether it is a root file system, which has to be put onto a disk file by file.</summary>
    public bool IsRoot { get; init; }

    /// <summary>Whether that is in layers, in an OCI archive.</summary>
    public bool IsOci { get; init; }

    public override string Kind => BaseKind;

    public override string Form => FileKind;
}
