using System.Collections.Immutable;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Content;

/// <summary>Whether there is room for what a bundle takes on this host, before anything is pulled or written.</summary>
internal static class ContentSpace
{
    private const long Spare = 16 << 20;

    /// <param name="missing">The blobs that have to be pulled.</param>
    /// <param name="archive">How long the archive is before it is compressed.</param>
    /// <param name="copies">How many copies of the parts are written.</param>
    /// <param name="copied">The bytes of an ISO or a disk that is copied.</param>
    /// <param name="look">Looks at a folder's file system.</param>
    /// <exception cref="CrustException">There is too little (<see cref="FailureKind.HostLacks"/>).</exception>
    public static void Check(ImmutableArray<OciDescriptor> missing, long archive, int copies, long copied, string cache, string output, Func<string, FolderSpace> look)
    {
        FolderSpace ofCache, ofOutput;
        try
        {
            (ofCache, ofOutput) = (look(cache), look(output));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever writes there will say it.
            return;
        }

        // Layers are compressed already, so that the archive hardly becomes smaller; what can't be compressed becomes longer by 1/256 (ZSTD_compressBound).
        var (pulled, packed) = (missing.Sum(blob => blob.Size), checked((copies * (archive + (archive >> 8))) + copied));
        if (ofCache.Device == ofOutput.Device)
        {
            Require(pulled + packed, ofCache.Free, output, "the bundle and the images that are pulled for it");
            return;
        }

        Require(pulled, ofCache.Free, cache, "the images that are pulled");
        Require(packed, ofOutput.Free, output, "the bundle");
    }

    private static void Require(long needed, long free, string where, string what)
    {
        if (needed > 0 && needed + Spare > free)
        {
            throw new CrustException(FailureKind.HostLacks, $"There is too little space for {what}: {Size.Format(needed + Spare)} are needed, {Size.Format(free)} are free", where,
                $"free {Size.Format(needed + Spare - free)}, for instance with 'crust clean', or choose another file system with --output or CRUST_CACHE");
        }
    }
}
