using System.Runtime.InteropServices;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>A run of bytes in a file that the file system has allocated.</summary>
/// <param name="Offset">Where it starts, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
internal readonly record struct Extent(long Offset, long Length)
{
    /// <summary>The first byte behind it.</summary>
    public long End => Offset + Length;
}

/// <summary>Files with holes: where their data is (lseek(2), SEEK_DATA and SEEK_HOLE), and copies that share their blocks (ioctl_ficlone(2)).</summary>
internal static partial class SparseFile
{
    /// <summary>What EFBIG means, in words.</summary>
    internal const string TooLong = "the file system, or a limit of this process (ulimit -f), has no files that large";

    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int NoSuchData = 6; // ENXIO: only a hole is left.
    private const ulong FiClone = 0x40049409;
    private const int KeepSizeAndPunchHole = 0x01 | 0x02;

    /// <summary>
    /// The allocated extents in ascending order. A file system without holes reports one extent. The file's own position
    /// is moved; no one else may use the handle's position meanwhile.
    /// </summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static IEnumerable<Extent> ReadExtents(SafeFileHandle file)
    {
        var length = RandomAccess.GetLength(file);
        for (long offset = 0; offset < length;)
        {
            var start = Seek(file, offset, SeekData);
            if (start < 0)
            {
                var error = Marshal.GetLastPInvokeError();
                if (error == NoSuchData)
                {
                    yield break;
                }

                throw new IOException($"Reading the file's extents failed: {Marshal.GetPInvokeErrorMessage(error)}");
            }

            var end = Seek(file, start, SeekHole);
            if (end < 0)
            {
                throw new IOException($"Reading the file's extents failed: {Marshal.GetLastPInvokeErrorMessage()}");
            }

            yield return new Extent(start, end - start);
            offset = end;
        }
    }

    /// <summary>
    /// Makes a copy: a reflink, which costs no space, where the file system allows it, else a copy that keeps the holes. Never a hard link: that
    /// has the permissions of the private file in the cache, or the cache's file has those of the image, and whoever writes to one writes to both.
    /// The destination must not exist.
    /// </summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public static void Duplicate(string source, string destination, Action<double> progress, CancellationToken cancellation)
    {
        using var from = File.OpenHandle(source);
        using var to = File.OpenHandle(destination, FileMode.CreateNew, FileAccess.Write);
        if (Clone(to, FiClone, from) != 0)
        {
            Copy(from, to, progress, cancellation);
        }
    }

    /// <summary>Bytes that the file system has allocated for a file.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static long AllocatedBytes(string path)
    {
        using var file = File.OpenHandle(path);
        return AllocatedBytes(file);
    }

    /// <summary>Gives back to the file system what it has allocated for the given extents (fallocate(2)); they read as zeros then. The length stays.</summary>
    /// <returns>Bytes that the file occupies less.</returns>
    /// <exception cref="IOException">The file can't be written, or its file system has no holes.</exception>
    public static long PunchHoles(string path, IEnumerable<Extent> extents)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite);
        var before = AllocatedBytes(file);
        var length = RandomAccess.GetLength(file);
        foreach (var extent in extents)
        {
            if (Allocate(file, KeepSizeAndPunchHole, extent.Offset, Math.Min(extent.Length, length - extent.Offset)) != 0)
            {
                throw new IOException($"Punching a hole into {path} failed: {Marshal.GetLastPInvokeErrorMessage()}");
            }
        }

        return before - AllocatedBytes(file);
    }

    /// <summary>Copies the allocated extents into an empty file; what lies between them stays a hole.</summary>
    internal static void Copy(SafeFileHandle from, SafeFileHandle to, Action<double> progress, CancellationToken cancellation)
    {
        var length = RandomAccess.GetLength(from);
        var buffer = new byte[1 << 20];
        var extents = ReadExtents(from).ToList();
        var total = Math.Max(1, extents.Sum(extent => extent.Length));
        long copied = 0;
        // The new file's length comes first, so that what isn't written stays a hole.
        if (length > 0)
        {
            RandomAccess.SetLength(to, length);
        }

        foreach (var extent in extents)
        {
            for (var offset = extent.Offset; offset < extent.End;)
            {
                cancellation.ThrowIfCancellationRequested();
                var read = from.ReadUpTo(buffer.AsSpan(0, (int)Math.Min(buffer.Length, extent.End - offset)), offset);
                if (read == 0)
                {
                    break;
                }

                RandomAccess.Write(to, buffer.AsSpan(0, read), offset);
                offset += read;
                progress((double)(copied += read) / total);
            }
        }
    }

    private static long AllocatedBytes(SafeFileHandle file) => ReadExtents(file).Sum(extent => extent.Length);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    private static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Clone(SafeFileHandle destination, ulong request, SafeFileHandle source);

    [LibraryImport("libc", EntryPoint = "fallocate", SetLastError = true)]
    private static partial int Allocate(SafeFileHandle file, int mode, long offset, long length);
}
