using System.Collections.Concurrent;
using Crust.Disks;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>How much space images that are being written will still take, told by how far they are.</summary>
internal sealed class SpaceNeeds
{
    // Of an image that has hardly begun, nothing can be told.
    private const double FirstTold = 0.02;

    private readonly ConcurrentDictionary<string, double> _fractions = new();

    /// <summary>Notes how far an image is, from 0 to 1.</summary>
    public void Note(string path, double fraction) => _fractions[path] = fraction;

    /// <summary>Bytes that the images still need; an estimate, never less than a block.</summary>
    public long Missing() => Math.Max(BlockMap.Block, _fractions.Sum(image => Missing(image.Key, image.Value)));

    private static long Missing(string path, double fraction)
    {
        try
        {
            var written = SparseFile.AllocatedBytes(path);
            return fraction < FirstTold ? 0 : (long)(written / fraction) - written;
        }
        catch (IOException)
        {
            // It has none yet.
            return 0;
        }
    }
}

/// <summary>Distinguishes a full file system from other failures.</summary>
internal static class NoSpace
{
    private const int Enospc = 28;
    private const int Edquot = 122;

    /// <summary>Whether a full file system, or a quota, is behind an error of this process or of a tool.</summary>
    public static bool IsReasonOf(Exception error) => error is IOException { HResult: Enospc or Edquot }
        || error is ToolFailedException tool && (tool.Result.Error + tool.Result.Output).Contains("No space left on device", StringComparison.Ordinal);
}
