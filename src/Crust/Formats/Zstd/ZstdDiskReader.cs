using System.Security.Cryptography;
using Crust.Disks;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Zstd;

/// <summary>
/// Unpacks what <see cref="ZstdDisk"/> has written: the frame of each range, by all cores, each checked against the disk's map. What lies between
/// stays a hole, so that it takes the time of the data, not that of the disk.
/// </summary>
internal static class ZstdDiskReader
{
    /// <param name="stream">The stream's path.</param>
    /// <param name="map">The disk's map; its ranges are in order and inside the disk.</param>
    /// <param name="disk">The path of a new disk, which has its size and holds nothing.</param>
    /// <param name="progress">Receives the part that is done, from 0 to 1.</param>
    /// <param name="cancellation">Ends it; the disk is then unfinished.</param>
    /// <exception cref="IOException">The stream can't be read, or the disk can't be written.</exception>
    /// <exception cref="InvalidDataException">The stream doesn't hold what the map says.</exception>
    public static async Task UnpackAsync(string stream, BlockMap map, string disk, Action<double> progress, CancellationToken cancellation)
    {
        // Between ranges there are frames of zeros, which may be as long as they like.
        var frames = SeekTable.Read(stream, MostFrames(map)).Where(frame => frame.ContentLength <= BlockMap.Slot).ToLookup(frame => (frame.ContentOffset, frame.ContentLength));
        using var source = File.OpenHandle(stream);
        using var target = File.OpenHandle(disk, FileMode.Open, FileAccess.Write);
        var (next, done) = (0, 0);
        var workers = Environment.ProcessorCount;
        await OrderedPipeline.RunAsync(
            Enumerable.Range(0, workers + 2).Select(_ => new Slot(source)),
            slot =>
            {
                if (next == map.Ranges.Length)
                {
                    return false;
                }

                slot.Range = map.Ranges[next++];
                slot.Frame = frames[(slot.Range.Offset, slot.Range.Length)].Append(default).First();
                return true;
            },
            Enumerable.Repeat<Action<Slot>>(slot => slot.Unpack(), workers),
            slot =>
            {
                RandomAccess.Write(target, slot.Content.Span, slot.Range.Offset);
                progress((double)++done / map.Ranges.Length);
            },
            null,
            cancellation);
    }

    // One for each range and for what is between two, which is split where it is longer than a GiB.
    private static long MostFrames(BlockMap map) => 2L * map.Ranges.Length + (map.Size >> 30) + 2;

    /// <summary>Buffers for one range, used again and again.</summary>
    private sealed class Slot(SafeFileHandle stream)
    {
        private readonly byte[] _frame = new byte[ZstdCompressor.Bound(BlockMap.Slot)];
        private readonly byte[] _content = new byte[BlockMap.Slot];

        public BlockRange Range { get; set; }

        public ZstdFrame Frame { get; set; }

        public ReadOnlyMemory<byte> Content => _content.AsMemory(0, Range.Length);

        public void Unpack()
        {
            if (Frame.Length <= 0 || Frame.Length > _frame.Length || stream.ReadUpTo(_frame.AsSpan(0, Frame.Length), Frame.Offset) != Frame.Length)
            {
                throw new InvalidDataException($"its zstd stream has no frame for the disk's range at {Range.Offset}");
            }

            ZstdDecompressor.Decompress(_frame.AsSpan(0, Frame.Length), _content.AsSpan(0, Range.Length));
            if (Convert.ToHexStringLower(SHA256.HashData(Content.Span)) != Range.Sha256)
            {
                throw new InvalidDataException($"the disk's range at {Range.Offset} isn't what its map says");
            }
        }
    }
}
