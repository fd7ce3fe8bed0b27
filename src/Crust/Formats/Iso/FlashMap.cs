using System.Text;
using Crust.Disks;
using Crust.Formats.Zstd;

namespace Crust.Formats.Iso;

/// <summary>What the job `flash` is told of the disk on its medium, as text that a shell can read.</summary>
internal static class FlashMap
{
    /// <summary>
    /// `size BYTES`, `data BYTES`, and for each range with data `range OFFSET LENGTH FRAME-OFFSET FRAME-LENGTH SHA256`: where it is
    /// on the disk, and where its frame is in the compressed stream.
    /// </summary>
    /// <param name="frames">The stream's frames; each range has one.</param>
    public static string ToText(BlockMap map, IEnumerable<ZstdFrame> frames)
    {
        var byContent = frames.ToDictionary(frame => frame.ContentOffset);
        var text = new StringBuilder().Append(null, $"size {map.Size}\ndata {map.Data}\n");
        foreach (var range in map.Ranges)
        {
            var frame = byContent[range.Offset];
            text.Append(null, $"range {range.Offset} {range.Length} {frame.Offset} {frame.Length} {range.Sha256}\n");
        }

        return text.ToString();
    }
}
