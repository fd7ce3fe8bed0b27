using System.Collections.Concurrent;
using System.Collections.Immutable;
using Crust.Disks;
using Crust.Formats.Splicing;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Zstd;

/// <summary>
/// What <see cref="ZstdDisk"/> has written, as a template: frames are copied, but for those of the slots with patches. The new stream is the one that <see
/// cref="ZstdDisk"/> would write of the patched disk, byte for byte.
/// </summary>
internal sealed class ZstdTemplate : ImageTemplate
{
    private readonly ImmutableArray<ZstdFrame> _ranges;
    private readonly BlockMap? _map;

    // All images of a template have their patches in the same few slots.
    private readonly ConcurrentDictionary<long, byte[]> _slots = [];

    private ZstdTemplate(SafeFileHandle file, ImmutableArray<ZstdFrame> ranges, long size, BlockMap? map)
        : base(file) => (_ranges, Size, _map) = (ranges, size, map);

    public override long Size { get; }

    public override IEnumerable<Extent> Extents => _ranges.Select(range => new Extent(range.ContentOffset, range.ContentLength));

    /// <param name="path">The stream's path; its block map is taken from beside it, if there is one.</param>
    /// <exception cref="IOException">It can't be read.</exception>
    /// <exception cref="InvalidDataException">Crust hasn't written it.</exception>
    public static ZstdTemplate Open(string path)
    {
        var frames = SeekTable.Read(path);
        var size = frames.IsEmpty ? 0 : frames[^1].ContentOffset + frames[^1].ContentLength;
        var file = System.IO.File.OpenHandle(path);
        try
        {
            ImmutableArray<ZstdFrame> ranges = [.. frames.Where(frame => !ZstdZeros.IsStartOf(file.ReadUpTo(frame.Offset, ZstdZeros.StartLength)))];
            if (ranges.Any(frame => frame.ContentLength is 0 or > BlockMap.Slot || SlotOf(frame.ContentOffset) != SlotOf(frame.ContentOffset + frame.ContentLength - 1)))
            {
                throw new InvalidDataException("its frames aren't those of a disk that Crust has compressed");
            }

            return new ZstdTemplate(file, ranges, size, MapOf(path, size));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public override void Read(Span<byte> buffer, long offset)
    {
        buffer.Clear();
        for (var at = FirstBehind(offset); at < _ranges.Length && _ranges[at].ContentOffset < offset + buffer.Length; at++)
        {
            var range = _ranges[at];
            var content = Unpack(range);
            var (from, to) = (Math.Max(offset, range.ContentOffset), Math.Min(offset + buffer.Length, range.ContentOffset + range.ContentLength));
            content.AsSpan((int)(from - range.ContentOffset)..(int)(to - range.ContentOffset)).CopyTo(buffer[(int)(from - offset)..]);
        }
    }

    internal override Splice With(IReadOnlyList<DiskPatch> patches, string fileName)
    {
        var numbers = DiskPatch.UnitsOf(patches, BlockMap.Slot);
        var slots = numbers.Select(number => (Number: number, Bytes: SlotWith(patches, number))).ToList();
        var fresh = slots.Select(slot => BlockMap.RangeIn(slot.Bytes, slot.Number * BlockMap.Slot)).ToList();
        var stream = new FrameStream(new Splice { Map = _map?.With(numbers, fresh) });
        using var compressor = new ZstdCompressor(ZstdDisk.Level);
        var next = 0;
        foreach (var (slot, range) in slots.Zip(fresh))
        {
            for (; next < _ranges.Length && SlotOf(_ranges[next].ContentOffset) < slot.Number; next++)
            {
                stream.Copy(_ranges[next]);
            }

            // These are replaced.
            while (next < _ranges.Length && SlotOf(_ranges[next].ContentOffset) == slot.Number)
            {
                next++;
            }

            if (range.Length > 0)
            {
                var frame = new byte[ZstdCompressor.Bound(range.Length)];
                var start = (int)(range.Offset - slot.Number * BlockMap.Slot);
                stream.Add(range, frame.AsMemory(0, compressor.Compress(slot.Bytes.AsSpan(start, range.Length), frame)));
            }
        }

        for (; next < _ranges.Length; next++)
        {
            stream.Copy(_ranges[next]);
        }

        return stream.Finish(Size);
    }

    private static long SlotOf(long offset) => offset / BlockMap.Slot;

    // A map of another size is that of another disk.
    private static BlockMap? MapOf(string path, long size) =>
        System.IO.File.Exists(path + BmapFile.Extension) && BmapFile.Read(path + BmapFile.Extension) is var map && map.Size == size ? map : null;

    private byte[] SlotWith(IReadOnlyList<DiskPatch> patches, long number)
    {
        var start = number * BlockMap.Slot;
        var slot = (byte[])_slots.GetOrAdd(number, _ =>
        {
            var bytes = new byte[(int)Math.Min(BlockMap.Slot, Size - start)];
            Read(bytes, start);
            return bytes;
        }).Clone();
        DiskPatch.Apply(patches, slot, start);
        return slot;
    }

    // The first range that ends behind an offset.
    private int FirstBehind(long offset)
    {
        var (low, high) = (0, _ranges.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = _ranges[middle].ContentOffset + _ranges[middle].ContentLength > offset ? (low, middle) : (middle + 1, high);
        }

        return low;
    }

    private byte[] Unpack(ZstdFrame range)
    {
        var frame = File.ReadUpTo(range.Offset, range.Length);
        var content = new byte[range.ContentLength];
        ZstdDecompressor.Decompress(frame, content);
        return content;
    }

    /// <summary>The new stream, and the frames that are in it so far.</summary>
    private sealed class FrameStream(Splice splice)
    {
        private readonly List<ZstdFrame> _frames = [];
        private long _covered;

        public void Copy(ZstdFrame frame)
        {
            AddZeros(frame.ContentOffset);
            Note(frame.Length, frame.ContentLength);
            splice.Copy(frame.Offset, frame.Length);
        }

        public void Add(BlockRange range, ReadOnlyMemory<byte> frame)
        {
            AddZeros(range.Offset);
            Note(frame.Length, range.Length);
            splice.Add(frame);
        }

        public Splice Finish(long size)
        {
            AddZeros(size);
            splice.Add(SeekTable.Of(_frames));
            return splice;
        }

        private void AddZeros(long until)
        {
            foreach (var (frame, length) in ZstdZeros.Frames(until - _covered))
            {
                Note(frame.Length, length);
                splice.Add(frame);
            }
        }

        private void Note(int length, int contentLength)
        {
            _frames.Add(new ZstdFrame(splice.Length, length, _covered, contentLength));
            _covered += contentLength;
        }
    }
}
