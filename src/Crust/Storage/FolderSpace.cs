namespace Crust.Storage;

/// <summary>The file system that a folder is on, or would be.</summary>
/// <param name="Device">Identifies the file system.</param>
/// <param name="Free">Bytes that may be written to it.</param>
/// <param name="Clones">Whether files on it can share blocks.</param>
internal sealed record FolderSpace(ulong Device, long Free, bool Clones)
{
    // linux/magic.h
    private const long Btrfs = 0x9123683E;
    private const long Xfs = 0x58465342;

    /// <summary>Looks at a folder, or at the nearest one above it that is there.</summary>
    /// <exception cref="IOException">It can't be looked at.</exception>
    public static FolderSpace Of(string folder)
    {
        var there = Nearest(folder);
        // Not DriveInfo: it looks for the folder's mount in /proc/mounts, which in a chroot has none for the root.
        return Posix.GetFileSystem(there, out var facts) == 0
            ? new FolderSpace(FileIdentity.Of(there).Device, (long)facts.AvailableBlocks * facts.BlockSize, facts.Type is Btrfs or Xfs)
            : throw Posix.Error(there);
    }

    /// <summary>The folder, or the nearest one above it that is there.</summary>
    public static string Nearest(string folder)
    {
        while (!Directory.Exists(folder) && Path.GetDirectoryName(folder) is { } above)
        {
            folder = above;
        }

        return folder;
    }
}
