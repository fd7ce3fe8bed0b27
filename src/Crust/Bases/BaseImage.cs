using Crust.Disks;

namespace Crust.Bases;

/// <summary>A disk image on this host that a build starts from.</summary>
internal sealed record BaseImage : DiskOrigin
{
    /// <summary>The kind of image: `img`, `qcow2`; where it is compressed, `xz`.</summary>
    public required string FileKind { get; init; }

    public override string Kind => BaseKind;

    public override string Form => FileKind;
}
