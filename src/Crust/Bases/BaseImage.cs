using Crust.Disks;

namespace Crust.Bases;

/// <summary>A disk image on this host that a build starts from, the archive of a root file system, or an OCI image's archive or layout.</summary>
internal sealed record BaseImage : DiskOrigin
{
    /// <summary>The kind of file: `img`, `qcow2`, `tar`; where it is compressed, `xz`.</summary>
    public required string FileKind { get; init; }

    /// <summary>Whether it is a root file system, which has to be put onto a disk file by file.</summary>
    public bool IsRoot { get; init; }

    /// <summary>Whether that is in layers, in an OCI image.</summary>
    public bool IsOci { get; init; }

    public override bool LeavesFreeSpaceClean => IsRoot;

    public override string Kind => BaseKind;

    public override string Form => FileKind;
}
