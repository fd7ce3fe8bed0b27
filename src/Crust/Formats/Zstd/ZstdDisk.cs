using System.Collections.Immutable;
using System.Threading.Channels;
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
        await using var file = new FileStream(output, FileMode.CreateNew, FileAccess.Write, FileShare.Read, bufferSize: 1 << 20);
        var stream = new FrameStream(file);
        var offsets = SlotsOf(SparseFile.ReadExtents(source)).ToImmutableArray();
        var done = 0;
        // Two more than threads, so that none waits for the one whose turn it is. 8 MiB each.
        var slots = Enumerable.Range(0, threads + 2).Select(_ => new ZstdSlot(source, Slot, Level)).ToImmutableArray();
        try
        {
            await RunAsync(slots, offsets, slot =>
            {
                stream.Append(slot);
                progress((double)++done / offsets.Length);
            }, cancellation);
        }
        finally
        {
            foreach (var slot in slots)
            {
                slot.Dispose();
            }
        }

        return stream.Finish(RandomAccess.GetLength(source));
    }

    // Compresses side by side, on the thread pool, which all formats share; appends in the disk's order.
    private static async Task RunAsync(ImmutableArray<ZstdSlot> slots, ImmutableArray<long> offsets, Action<ZstdSlot> append, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var free = Channel.CreateUnbounded<ZstdSlot>();
        var ordered = Channel.CreateUnbounded<Task<ZstdSlot>>();
        foreach (var slot in slots)
        {
            free.Writer.TryWrite(slot);
        }

        async Task StartAsync()
        {
            try
            {
                foreach (var offset in offsets)
                {
                    var slot = await free.Reader.ReadAsync(stop.Token);
                    ordered.Writer.TryWrite(Task.Run(() => slot.Pack(offset), CancellationToken.None));
                }
            }
            finally
            {
                ordered.Writer.Complete();
            }
        }

        var starting = Task.Run(StartAsync, CancellationToken.None);
        try
        {
            await foreach (var packing in ordered.Reader.ReadAllAsync(stop.Token))
            {
                var slot = await packing;
                append(slot);
                free.Writer.TryWrite(slot);
            }
        }
        finally
        {
            // Nobody may work on a slot any more when they are disposed of.
            await stop.CancelAsync();
            await starting.ContinueWith(_ => { }, TaskScheduler.Default);
            await foreach (var packing in ordered.Reader.ReadAllAsync(CancellationToken.None))
            {
                await packing.ContinueWith(_ => { }, TaskScheduler.Default);
            }
        }
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
    private sealed class FrameStream(Stream file)
    {
        private readonly ImmutableArray<ZstdRange>.Builder _ranges = ImmutableArray.CreateBuilder<ZstdRange>();
        private long _covered;
        private long _length;

        public void Append(ZstdSlot slot)
        {
            if (slot.Length == 0)
            {
                return;
            }

            AppendZeros(slot.Offset);
            _ranges.Add(new ZstdRange(slot.Offset, slot.Length, _length, slot.Frame.Length, slot.Sha256));
            Write(slot.Frame.Span);
            _covered = slot.Offset + slot.Length;
        }

        public ZstdMap Finish(long size)
        {
            AppendZeros(size);
            return new ZstdMap(size, _ranges.ToImmutable());
        }

        private void AppendZeros(long until)
        {
            foreach (var frame in ZstdZeros.Frames(until - _covered))
            {
                Write(frame.Span);
            }
        }

        private void Write(ReadOnlySpan<byte> frame)
        {
            file.Write(frame);
            _length += frame.Length;
        }
    }
}
