using System.Collections.Immutable;
using Crust.Disks;

namespace Crust.Formats.Zstd;

/// <summary>
/// Writes a raw disk as a zstd stream of many frames: `zstd -dc` gives the whole disk, and whoever has the map can take out a range
/// without the rest. The disk is looked at in slots of 4 MiB. One that holds data has one frame, from its first block with data to its last; what
/// lies between is frames of zeros. The bytes don't depend on the number of threads.
/// </summary>
internal static class ZstdDisk
{
    /// <summary>The longest range, and what ranges never cross a multiple of.</summary>
    public const int Slot = 4 << 20;

    // On the reference system's disk, level 9 saves a tenth more and takes four times as long.
    private const int Level = 3;

    /// <summary>Writes the stream.</summary>
    /// <param name="disk">The raw disk; only its allocated extents are read.</param>
    /// <param name="output">The stream's path; the file must not exist.</param>
    /// <param name="threads">How many slots are compressed at a time.</param>
    /// <param name="progress">Told the part that is done, from 0 to 1.</param>
    /// <param name="cancellation">Ends it; the output is then unfinished.</param>
    /// <exception cref="IOException">The disk can't be read, or the output can't be written.</exception>
    /// <exception cref="CrustException">libzstd is missing.</exception>
    public static async Task<ZstdMap> WriteAsync(string disk, string output, int threads, Action<double> progress, CancellationToken cancellation)
    {
        using var source = File.OpenHandle(disk);
        using var file = new HashedFile(output);
        var stream = new FrameStream(file);
        var offsets = SlotsOf(SparseFile.ReadExtents(source)).ToList();
        var (next, done) = (0, 0);
        // Two more than threads, so that none waits for the one whose turn it is. 8 MiB each.
        var slots = Enumerable.Range(0, threads + 2).Select(_ => new ZstdSlot(source, Slot, Level)).ToList();
        try
        {
            await OrderedPipeline.RunAsync(
                slots,
                slot =>
                {
                    if (next == offsets.Count)
                    {
                        return false;
                    }

                    slot.Start = offsets[next++];
                    return true;
                },
                Enumerable.Repeat<Action<ZstdSlot>>(slot => slot.Pack(), threads),
                slot =>
                {
                    stream.Append(slot);
                    progress((double)++done / offsets.Count);
                },
                cancellation);
        }
        finally
        {
            slots.ForEach(slot => slot.Dispose());
        }

        return stream.Finish(RandomAccess.GetLength(source));
    }

    private static IEnumerable<long> SlotsOf(IEnumerable<Extent> extents)
    {
        long next = 0;
        foreach (var extent in extents)
        {
            for (next = Math.Max(next, extent.Offset / Slot * Slot); next < extent.End; next += Slot)
            {
                yield return next;
            }
        }
    }

    /// <summary>The stream while it is written, and the map of what is in it so far.</summary>
    private sealed class FrameStream(HashedFile file)
    {
        private readonly ImmutableArray<ZstdRange>.Builder _ranges = ImmutableArray.CreateBuilder<ZstdRange>();
        private long _covered;

        public void Append(ZstdSlot slot)
        {
            if (slot.Length == 0)
            {
                return;
            }

            AppendZeros(slot.Offset);
            _ranges.Add(new ZstdRange(slot.Offset, slot.Length, file.Length, slot.Frame.Length, slot.Sha256));
            file.Append(slot.Frame.Span);
            _covered = slot.Offset + slot.Length;
        }

        public ZstdMap Finish(long size)
        {
            AppendZeros(size);
            return new ZstdMap(size, _ranges.ToImmutable()) { StreamSha256 = file.Sha256() };
        }

        private void AppendZeros(long until)
        {
            foreach (var frame in ZstdZeros.Frames(until - _covered))
            {
                file.Append(frame.Span);
            }
        }
    }
}
