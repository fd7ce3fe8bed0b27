namespace Crust.Storage;

/// <summary>The file system that a folder is on, or would be.</summary>
/// <param name="Device">Identifies the file system.</param>
/// <param name="Free">Bytes that may be written to it.</param>
/// <param name="Clones">Whether files on it can share blocks.</param>
internal sealed record FolderSpace(ulong Device, long Free, bool Clones)
{
    /// <summary>Looks at a folder, or at the nearest one above it that is there.</summary>
    /// <exception cref="IOException">It can't be looked at.</exception>
    public static FolderSpace Of(string folder)
    {
        var there = Nearest(folder);
        var drive = new DriveInfo(there);
        return new FolderSpace(FileIdentity.Of(there).Device, drive.AvailableFreeSpace, drive.DriveFormat is "btrfs" or "xfs");
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
