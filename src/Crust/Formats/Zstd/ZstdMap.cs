using System.Collections.Immutable;
using System.Text;

namespace Crust.Formats.Zstd;

/// <summary>A range of a disk that holds data, and its frame in the compressed stream. All in bytes.</summary>
/// <param name="Offset">Where it starts on the disk.</param>
/// <param name="Length">How long it is.</param>
/// <param name="FrameOffset">Where its frame starts in the stream.</param>
/// <param name="FrameLength">How long its frame is.</param>
/// <param name="Sha256">The SHA-256 of the range as it is on the disk, in hex.</param>
internal readonly record struct ZstdRange(long Offset, int Length, long FrameOffset, int FrameLength, string Sha256);

/// <summary>Where a disk's data is in its compressed stream. What no range covers is zeros.</summary>
/// <param name="Size">The disk's size in bytes.</param>
/// <param name="Ranges">The ranges in ascending order; they don't overlap.</param>
internal sealed record ZstdMap(long Size, ImmutableArray<ZstdRange> Ranges)
{
    /// <summary>The SHA-256 of the whole stream, in hex.</summary>
    public required string StreamSha256 { get; init; }

    /// <summary>Bytes of all ranges.</summary>
    public long Data => Ranges.Sum(range => (long)range.Length);

    /// <summary>
    /// The map as text that a shell can read: `size BYTES`, `data BYTES`, and for each range
    /// `range OFFSET LENGTH FRAME-OFFSET FRAME-LENGTH SHA256`.
    /// </summary>
    public string ToText()
    {
        var text = new StringBuilder().Append(null, $"size {Size}\ndata {Data}\n");
        foreach (var range in Ranges)
        {
            text.Append(null, $"range {range.Offset} {range.Length} {range.FrameOffset} {range.FrameLength} {range.Sha256}\n");
        }

        return text.ToString();
    }
}
