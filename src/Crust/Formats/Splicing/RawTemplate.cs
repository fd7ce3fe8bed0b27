using Crust.Disks;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>A raw disk as a template: a copy that shares the blocks where the file system can, and else has its holes, with the patches written to it.</summary>
internal sealed class RawTemplate : ImageTemplate
{
    private readonly string _path;
    private readonly BlockMap? _map;

    private RawTemplate(string path, SafeFileHandle file, BlockMap? map)
        : base(file) => (_path, _map, Size) = (path, map, RandomAccess.GetLength(file));

    public override long Size { get; }

    public override IEnumerable<Extent> Extents => SparseFile.ReadExtents(File);

    /// <param name="path">The disk's path; its block map is taken from beside it, if there is one.</param>
    /// <exception cref="IOException">It can't be read.</exception>
    public static RawTemplate Open(string path)
    {
        var map = System.IO.File.Exists(path + BmapFile.Extension) ? BmapFile.Read(path + BmapFile.Extension) : null;
        var file = System.IO.File.OpenHandle(path);
        return new RawTemplate(path, file, map?.Size == RandomAccess.GetLength(file) ? map : null);
    }

    public override void Read(Span<byte> buffer, long offset) => buffer[File.ReadUpTo(buffer, offset)..].Clear();

    public override WrittenImage Write(IReadOnlyList<DiskPatch> patches, string path, string fileName, CancellationToken cancellation)
    {
        System.IO.File.Delete(path);
        SparseFile.Duplicate(_path, path, _ => { }, cancellation);
        using (var copy = System.IO.File.OpenHandle(path, FileMode.Open, FileAccess.Write))
        {
            foreach (var patch in patches)
            {
                RandomAccess.Write(copy, patch.Bytes.Span, patch.Offset);
            }
        }

        return new WrittenImage(null, _map?.With(DiskPatch.UnitsOf(patches, BlockMap.Slot), RangesOf(patches)));
    }

    internal override Splice With(IReadOnlyList<DiskPatch> patches, string fileName) => throw new NotSupportedException("A raw disk is copied with its holes.");

    private IEnumerable<BlockRange> RangesOf(IReadOnlyList<DiskPatch> patches) => DiskPatch.UnitsOf(patches, BlockMap.Slot)
        .Select(slot => BlockMap.RangeIn(Patched(patches, slot * BlockMap.Slot, (int)Math.Min(BlockMap.Slot, Size - slot * BlockMap.Slot)), slot * BlockMap.Slot));
}
