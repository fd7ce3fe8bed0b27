using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;

namespace Crust.Storage;

/// <summary>
/// The one way in which a file or a folder gets its final name. Under that name it is whole, also after a power cut: it is written under another one, synced, renamed, and the
/// folder is synced, too (fsync(2): "calling fsync() does not necessarily ensure that the entry in the directory containing the file has also reached disk").
/// </summary>
internal static class WholeFile
{
    /// <summary>The permissions of a private file: 0600.</summary>
    public const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Writes a private file in place of what is there, if there is something; a symbolic link there is replaced, not followed.</summary>
    /// <exception cref="IOException">It can't be written; what was there stays.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written; the same.</exception>
    public static void Replace(string path, string text) => Replace(path, Encoding.UTF8.GetBytes(text));

    /// <summary>The same with bytes.</summary>
    /// <exception cref="IOException">It can't be written; what was there stays.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written; the same.</exception>
    public static void Replace(string path, byte[] content) => Write(path, content, overwrite: true);

    /// <summary>Writes a private file if there is none: of several processes that do so at once, the first one's stays.</summary>
    /// <exception cref="IOException">It is there, or it can't be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Create(string path, byte[] content) => Write(path, content, overwrite: false);

    /// <summary>Gives a file, whose writer has closed it, its final name. It keeps its permissions.</summary>
    /// <param name="draft">The file, on the same file system.</param>
    /// <param name="path">Its name, under which something may be; a symbolic link there is replaced, not followed.</param>
    /// <param name="overwrite">Whether it replaces what is there.</param>
    /// <exception cref="IOException">It can't be done.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static void Place(string draft, string path, bool overwrite = true)
    {
        Sync(draft);
        if (overwrite || !TryLink(draft, path))
        {
            File.Move(draft, path, overwrite);
        }

        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Gives a folder, with all that is in it synced, its final name, which nothing has yet.</summary>
    /// <param name="draft">The folder, on the same file system.</param>
    /// <exception cref="IOException">Something has that name, or it can't be done.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be done.</exception>
    public static void PlaceFolder(string draft, string path)
    {
        SyncAll(draft);
        Directory.Move(draft, path);
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    // File.Move with overwrite: false looks first and then renames, so that of two processes the second may replace the first one's file
    // (dotnet/runtime, FileSystem.Unix.cs). link(2) can't; a file system without hard links says so.
    private static bool TryLink(string draft, string path)
    {
        if (Posix.Link(draft, path) == 0)
        {
            File.Delete(draft);
            return true;
        }

        return Marshal.GetLastPInvokeError() is Posix.Exists ? throw new IOException($"{path} is there") : false;
    }

    /// <summary>Waits until a file's content is on the disk.</summary>
    /// <exception cref="IOException">It couldn't be written there.</exception>
    public static void Sync(string path)
    {
        // Not by .NET, which takes a lock with each file that it opens: it may be another's.
        using var file = Posix.TryOpen(path, Posix.ReadOnly | Posix.NonBlocking) ?? throw Posix.Error(path);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Waits until the names in a folder are on the disk.</summary>
    /// <exception cref="IOException">They couldn't be written there.</exception>
    public static void SyncFolder(string path)
    {
        // One that may be written but not read can't be opened, and so not be synced.
        using var folder = Posix.TryOpen(path, Posix.ReadOnly);
        if (folder is not null)
        {
            RandomAccess.FlushToDisk(folder);
        }
    }

    /// <summary>Waits until a folder with all files and folders in it is on the disk; what links lead to isn't looked at.</summary>
    /// <exception cref="IOException">It couldn't be written there.</exception>
    public static void SyncAll(string path)
    {
        foreach (var entry in Directory.EnumerateFileSystemEntries(path))
        {
            switch (FileFacts.TryOf(entry, follow: false)?.Kind)
            {
                case FileKind.File:
                    Sync(entry);
                    break;
                case FileKind.Folder:
                    SyncAll(entry);
                    break;
            }
        }

        SyncFolder(path);
    }

    /// <summary>Makes a file that only this user can read, whatever the umask; there must be none.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    public static FileStream CreatePrivate(string path) =>
        new(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = Private });

    private static void Write(string path, byte[] content, bool overwrite)
    {
        // By no process id: two containers that share a cache both have the same.
        var draft = $"{path}.{RandomNumberGenerator.GetHexString(12, lowercase: true)}";
        try
        {
            using (var file = CreatePrivate(draft))
            {
                file.Write(content);
            }

            Place(draft, path, overwrite);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }
    }
}
