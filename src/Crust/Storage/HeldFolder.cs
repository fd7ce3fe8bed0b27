using System.Security.Cryptography;

namespace Crust.Storage;

/// <summary>
/// A private folder (mode 0700) that is held as long as its process lives: a file in it is locked. The one way in which Crust tells an abandoned
/// folder from one in use. Process ids tell nothing: each container counts its own.
/// </summary>
/// <remarks>
/// A folder whose lock is free was left by a process that was killed, and is removed by the next one that makes a folder with the same prefix in
/// the same parent. A folder that is kept gets its final name as the last thing: what has it is whole. What belongs to another user, is a link, or can't be locked is
/// never removed and never an error. On a file system whose locks don't reach other machines, such a machine's folders look abandoned: SMB with `nobrl`, some FUSE file
/// systems.
/// </remarks>
internal sealed class HeldFolder : IDisposable
{
    private const string LockName = ".alive";
    private const int MostTries = 20;

    private readonly FileLock _held;

    private HeldFolder(string path, FileLock held) => (Path, _held) = (path, held);

    public string Path { get; }

    /// <summary>Makes a folder with a name that nobody can guess, after removing abandoned ones.</summary>
    /// <param name="parent">A folder that is there.</param>
    /// <param name="prefix">What the names of such folders begin with there.</param>
    /// <param name="digits">How many digits follow.</param>
    /// <param name="onAbandoned">Called with the path of each abandoned folder, before it is removed.</param>
    /// <exception cref="IOException">It can't be made.</exception>
    public static HeldFolder Create(string parent, string prefix, int digits = 12, Action<string>? onAbandoned = null)
    {
        RemoveAbandoned(parent, prefix, onAbandoned);
        for (var tries = 0; ; tries++)
        {
            var path = System.IO.Path.Combine(parent, prefix + RandomNumberGenerator.GetHexString(digits, lowercase: true));
            if (Posix.MakePrivateFolder(path) && TryHold(path) is { } held)
            {
                return new HeldFolder(path, held);
            }

            if (tries == MostTries)
            {
                throw new IOException($"{parent}: no folder can be made that stays there");
            }
        }
    }

    /// <summary>Removes this user's folders that nobody holds any more. What can't be removed stays for the next time.</summary>
    public static void RemoveAbandoned(string parent, string prefix, Action<string>? onAbandoned = null)
    {
        try
        {
            foreach (var folder in Directory.EnumerateDirectories(parent, prefix + "*"))
            {
                RemoveIfAbandoned(folder, onAbandoned);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing of it is this build's.
        }
    }

    /// <summary>Deletes all that is in it, but what holds it.</summary>
    /// <exception cref="IOException">Something can't be deleted.</exception>
    public void Clear()
    {
        foreach (var entry in new DirectoryInfo(Path).EnumerateFileSystemInfos().Where(entry => entry.Name != LockName))
        {
            if (entry is DirectoryInfo below && below.LinkTarget is null)
            {
                below.Delete(recursive: true);
            }
            else
            {
                entry.Delete();
            }
        }
    }

    /// <summary>Gives the folder, with all that is in it synced, its final name in the same parent: from then on nobody takes it for an abandoned one.</summary>
    /// <exception cref="IOException">Something has that name, or it can't be renamed.</exception>
    public void KeepAs(string path)
    {
        WholeFile.PlaceFolder(Path, path);
        _held.Dispose();
        File.Delete(System.IO.Path.Combine(path, LockName));
    }

    /// <summary>Removes the folder and all in it, unless it was kept.</summary>
    public void Dispose()
    {
        if (Directory.Exists(Path))
        {
            Directory.Delete(Path, recursive: true);
        }

        _held.Dispose();
    }

    // Null if another process took the folder for an abandoned one just now: while it was empty, or between the making of the file and its lock, when that process has the lock
    // and the folder may still be there.
    private static FileLock? TryHold(string path)
    {
        var file = System.IO.Path.Combine(path, LockName);
        if (FileLock.TryAcquire(file) is not { } held)
        {
            _ = Posix.RemoveEmptyFolder(path);
            return null;
        }

        if (held.IsAt(file))
        {
            return held;
        }

        held.Dispose();
        return null;
    }

    private static void RemoveIfAbandoned(string folder, Action<string>? onAbandoned)
    {
        try
        {
            if (FileFacts.TryOf(folder, follow: false) is not { Kind: FileKind.Folder, IsOwn: true })
            {
                return;
            }

            var file = System.IO.Path.Combine(folder, LockName);
            if (FileFacts.TryOf(file, follow: false) is null)
            {
                // It is being made, and then somebody makes another; or its process was killed at that moment.
                _ = Posix.RemoveEmptyFolder(folder);
                return;
            }

            using var held = FileLock.TryAcquireOwn(file);
            if (held is not null && held.IsAt(file))
            {
                onAbandoned?.Invoke(folder);
                Directory.Delete(folder, recursive: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next one may succeed.
        }
    }
}
