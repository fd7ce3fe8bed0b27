using Crust.Disks;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>
/// A finished image of which others are made that differ in a few blocks of the disk: what is compressed in it is copied as it is, and only what those blocks touch is
/// compressed anew. Several threads may use one at a time; the image isn't changed.
/// </summary>
internal abstract class ImageTemplate(SafeFileHandle file) : IDisposable
{
    /// <summary>The size of the disk in it, in bytes.</summary>
    public abstract long Size { get; }

    /// <summary>What of the disk can be anything but zeros, in ascending order.</summary>
    /// <exception cref="IOException">The image can't be read.</exception>
    public virtual IEnumerable<Extent> Extents => [new Extent(0, Size)];

    /// <summary>The image's file.</summary>
    protected SafeFileHandle File { get; } = file;

    /// <summary>Reads a run of the disk in the image. What lies behind the disk's end reads as zeros.</summary>
    /// <exception cref="IOException">The image can't be read.</exception>
    /// <exception cref="InvalidDataException">The image is damaged there.</exception>
    public abstract void Read(Span<byte> buffer, long offset);

    /// <summary>Writes an image of the same kind whose disk has other bytes in some places. The same patches make the same bytes.</summary>
    /// <param name="patches">They lie inside the disk, and don't overlap.</param>
    /// <param name="path">The file to make; its name is temporary.</param>
    /// <param name="fileName">The name that it will have.</param>
    /// <exception cref="IOException">The image can't be read, or the new one can't be written.</exception>
    /// <exception cref="InvalidDataException">The image is damaged where the patches are.</exception>
    public virtual WrittenImage Write(IReadOnlyList<DiskPatch> patches, string path, string fileName, CancellationToken cancellation)
    {
        var splice = With(patches, fileName);
        return new WrittenImage(splice.WriteTo(path, File, cancellation), splice.Map);
    }

    public virtual void Dispose() => File.Dispose();

    /// <summary>The new image as pieces of this one and what is new.</summary>
    internal abstract Splice With(IReadOnlyList<DiskPatch> patches, string fileName);

    /// <summary>A run of the disk with the patches on it.</summary>
    protected byte[] Patched(IReadOnlyList<DiskPatch> patches, long offset, int length)
    {
        var bytes = new byte[length];
        Read(bytes, offset);
        DiskPatch.Apply(patches, bytes, offset);
        return bytes;
    }
}
