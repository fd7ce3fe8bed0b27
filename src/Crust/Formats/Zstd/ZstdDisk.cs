using Crust.Disks;
using Crust.Storage;

namespace Crust.Formats.Zstd;

/// <summary>
/// Writes a raw disk as a zstd stream of many frames: `zstd -dc` gives the whole disk, and whoever looks into the table at its end can take out a
/// range without the rest. Each range of the disk's map is one frame; what lies between is frames of zeros. The bytes don't depend on the number of
/// threads.
/// </summary>
internal static class ZstdDisk
{
    // On the reference system's disk, level 9 saves a tenth more and takes four times as long.
    internal const int Level = 3;

    /// <param name="disk">The raw disk; only its ranges are read.</param>
    /// <param name="output">The stream's path.</param>
    /// <param name="threads">How many ranges are compressed at a time.</param>
    /// <param name="progress">Receives the part that is done, from 0 to 1.</param>
    /// <param name="cores">The cores on which it works; null where nobody else does.</param>
    /// <param name="cancellation">Ends it; the output is then unfinished.</param>
    /// <returns>The stream's SHA-256 in hex.</returns>
    /// <exception cref="IOException">The disk can't be read, or the output can't be written.</exception>
    /// <exception cref="CrustException">libzstd is missing.</exception>
    public static async Task<string> WriteAsync(InstalledDisk disk, string output, int threads, Action<double> progress, CoreShare? cores, CancellationToken cancellation)
    {
        using var source = File.OpenHandle(disk.Path);
        using var file = new HashedFile(output);
        var stream = new FrameStream(file);
        var ranges = disk.Map.Ranges;
        var (next, done) = (0, 0);
        // Two more than threads, so that none waits for the one whose turn it is. 8 MiB each.
        var slots = Enumerable.Range(0, threads + 2).Select(_ => new ZstdSlot(source, Level)).ToList();
        try
        {
            await OrderedPipeline.RunAsync(
                slots,
                slot =>
                {
                    if (next == ranges.Length)
                    {
                        return false;
                    }

                    slot.Range = ranges[next++];
                    return true;
                },
                Enumerable.Repeat<Action<ZstdSlot>>(slot => slot.Pack(), threads),
                slot =>
                {
                    stream.Append(slot);
                    progress((double)++done / ranges.Length);
                },
                cores,
                cancellation);
        }
        finally
        {
            slots.ForEach(slot => slot.Dispose());
        }

        stream.Finish(disk.Map.Size);
        return file.Sha256();
    }

    /// <summary>The stream while it is written, and the frames that are in it so far.</summary>
    private sealed class FrameStream(HashedFile file)
    {
        private readonly List<ZstdFrame> _frames = [];
        private long _covered;

        public void Append(ZstdSlot slot)
        {
            AppendZeros(slot.Range.Offset);
            Append(slot.Frame.Span, slot.Range.Length);
        }

        public void Finish(long size)
        {
            AppendZeros(size);
            file.Append(SeekTable.Of(_frames));
        }

        private void AppendZeros(long until)
        {
            foreach (var (frame, length) in ZstdZeros.Frames(until - _covered))
            {
                Append(frame.Span, length);
            }
        }

        private void Append(ReadOnlySpan<byte> frame, int contentLength)
        {
            _frames.Add(new ZstdFrame(file.Length, frame.Length, _covered, contentLength));
            file.Append(frame);
            _covered += contentLength;
        }
    }
}
