using Crust.Disks;
using Crust.Formats.Zstd;

namespace Crust.Content;

/// <summary>
/// Compresses a stream with zstd by several cores: each 4 MiB are a frame of their own (RFC 8878, section 3.1), so that the bytes don't depend on how many there are. Every reader of zstd takes
/// frames one after the other. Memory is that of the slots, whatever the stream's length.
/// </summary>
internal static class BundlePacker
{
    private const int FrameContent = 4 << 20;

    // Some 9 MiB each, and more for the compressor's own tables.
    private const int MostThreads = 8;

    /// <param name="pieces">The stream; each piece is good until the next is asked for.</param>
    /// <param name="length">How long it is, for progress.</param>
    /// <param name="level">How hard zstd tries.</param>
    /// <param name="parts">Gets what comes of it.</param>
    /// <param name="progress">Receives the part that is done, from 0 to 1.</param>
    /// <exception cref="CrustException">Something can't be read, or libzstd is missing.</exception>
    /// <exception cref="IOException">A part can't be written.</exception>
    public static async Task WriteAsync(IEnumerable<ReadOnlyMemory<byte>> pieces, long length, int level, PartWriter parts, Action<double> progress, CancellationToken cancellation)
    {
        var threads = Math.Clamp(Environment.ProcessorCount, 1, MostThreads);
        var slots = new List<Slot>();
        try
        {
            // Two more than threads, so that none waits for the one whose turn it is.
            for (var i = 0; i < threads + 2; i++)
            {
                slots.Add(new Slot(level));
            }

            using var source = new Source(pieces);
            long done = 0;
            await OrderedPipeline.RunAsync(
                slots,
                slot => slot.Fill(source),
                Enumerable.Repeat<Action<Slot>>(slot => slot.Pack(), threads),
                slot =>
                {
                    parts.Append(slot.Frame);
                    done += slot.Length;
                    progress((double)done / length);
                },
                null,
                cancellation);
        }
        finally
        {
            slots.ForEach(slot => slot.Dispose());
        }
    }

    /// <summary>Pieces of any length, read as one stream.</summary>
    private sealed class Source(IEnumerable<ReadOnlyMemory<byte>> pieces) : IDisposable
    {
        private readonly IEnumerator<ReadOnlyMemory<byte>> _pieces = pieces.GetEnumerator();
        private ReadOnlyMemory<byte> _rest;

        /// <summary>Reads until the buffer is full or the stream ends.</summary>
        public int Read(Span<byte> buffer)
        {
            var filled = 0;
            while (filled < buffer.Length)
            {
                if (_rest.IsEmpty)
                {
                    if (!_pieces.MoveNext())
                    {
                        break;
                    }

                    _rest = _pieces.Current;
                    continue;
                }

                var taken = _rest[..Math.Min(_rest.Length, buffer.Length - filled)];
                taken.Span.CopyTo(buffer[filled..]);
                _rest = _rest[taken.Length..];
                filled += taken.Length;
            }

            return filled;
        }

        public void Dispose() => _pieces.Dispose();
    }

    private sealed class Slot(int level) : IDisposable
    {
        private readonly ZstdCompressor _compressor = new(level);
        private readonly byte[] _content = new byte[FrameContent];
        private readonly byte[] _frame = new byte[ZstdCompressor.Bound(FrameContent)];
        private int _frameLength;

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Frame => _frame.AsSpan(0, _frameLength);

        public bool Fill(Source source) => (Length = source.Read(_content)) > 0;

        public void Pack() => _frameLength = _compressor.Compress(_content.AsSpan(0, Length), _frame);

        public void Dispose() => _compressor.Dispose();
    }
}
