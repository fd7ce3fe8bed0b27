using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>
/// A lock between processes: an advisory flock(2) on a file, released by the kernel when its holder dies. It holds between containers that share a
/// folder, which no process id does, and over NFS, where Linux makes it a lock of the server's.
/// </summary>
internal sealed class FileLock : IDisposable
{
    private const int LockExclusive = 2;
    private const int DoNotWait = 4;
    private const uint SameOwner = uint.MaxValue;
    private const UnixFileMode Own = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private readonly SafeFileHandle _file;

    private FileLock(SafeFileHandle file) => _file = file;

    /// <summary>Waits until the lock is free and takes it. <paramref name="onWait"/> is called once, with the file's path, if there is a wait.</summary>
    /// <exception cref="CrustException">The lock file can't be made.</exception>
    public static async Task<FileLock> AcquireAsync(string path, Action<string>? onWait, CancellationToken cancellation)
    {
        for (var waits = 0; ; waits++)
        {
            try
            {
                if (Take(path) is { } taken)
                {
                    return taken;
                }
            }
            catch (IOException e)
            {
                throw new CrustException(FailureKind.HostLacks, $"The lock can't be taken: {e.Message}", path, e.HResult is Posix.AccessDenied
                    ? "make its folder writable; if another user's Crust has made the file, have that user remove it"
                    : "make its folder writable", e);
            }

            if (waits == 0)
            {
                onWait?.Invoke(path);
            }

            await Task.Delay(Interval, cancellation);
        }
    }

    /// <summary>Takes the lock if it is free; null if another process has it or the file can't be opened.</summary>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            return Take(path);
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Takes the lock of a file that is there and belongs to this user; null if another process has it, or it can't be told.</summary>
    internal static FileLock? TryAcquireOwn(string path)
    {
        using var file = Posix.TryOpen(path, Posix.ReadWrite | Posix.NoFollow | Posix.NonBlocking | Posix.NoTerminal);
        if (file is null || FileFacts.Of(file) is not { Kind: FileKind.File, IsOwn: true } || Posix.Lock(file, LockExclusive | DoNotWait) != 0)
        {
            return null;
        }

        return new FileLock(new SafeFileHandle(Release(file), ownsHandle: true));
    }

    /// <summary>Whether the path still leads to the file that is locked.</summary>
    internal bool IsAt(string path) => FileFacts.Of(_file).IsSameAs(FileFacts.TryOf(path, follow: false));

    /// <summary>Gives the lock back. The file stays: removing it would let two processes lock two different files.</summary>
    public void Dispose() => _file.Dispose();

    // Null while another process has it.
    private static FileLock? Take(string path)
    {
        var file = Open(path);
        try
        {
            if (FileFacts.Of(file) is { Kind: not FileKind.File } other)
            {
                throw new IOException($"{path} is {other.Describe()}");
            }

            // Where a file system has no locks, nobody can be told from anybody; .NET's own locks pass over that, too.
            if (Posix.Lock(file, LockExclusive | DoNotWait) != 0 && Marshal.GetLastPInvokeError() == Posix.WouldBlock)
            {
                file.Dispose();
                return null;
            }

            return new FileLock(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static SafeFileHandle Open(string path)
    {
        var flags = Posix.NoFollow | Posix.NonBlocking | Posix.NoTerminal;
        for (var tries = 0; ; tries++)
        {
            // Not with O_CREAT where it is there: in a sticky folder Linux refuses that for another user's file (fs.protected_regular).
            if (Posix.TryOpen(path, Posix.ReadWrite | flags) is { } there)
            {
                return there;
            }

            var error = Posix.Error(path);
            if (error.HResult is Posix.NoSuchFile && tries < 2)
            {
                if (Posix.TryOpen(path, Posix.ReadWrite | Posix.Create | Posix.Exclusive | flags, (int)Own) is { } made)
                {
                    Share(made, path);
                    return made;
                }

                error = Posix.Error(path);
                if (error.HResult is Posix.Exists)
                {
                    continue;
                }
            }

            // Another user's: to lock it, reading is enough.
            return error.HResult is Posix.AccessDenied or Posix.ReadOnlyFileSystem && Posix.TryOpen(path, Posix.ReadOnly | flags) is { } read ? read : throw error;
        }
    }

    // Whoever may write to the folder may take its lock, whatever the umask: users share folders of images.
    private static void Share(SafeFileHandle file, string path)
    {
        if (FileFacts.TryOf(Path.GetDirectoryName(Path.GetFullPath(path))!, follow: true) is not { } folder)
        {
            return;
        }

        var mode = Own
            | (folder.Mode.HasFlag(UnixFileMode.GroupWrite) ? UnixFileMode.GroupRead | UnixFileMode.GroupWrite : 0)
            | (folder.Mode.HasFlag(UnixFileMode.OtherWrite) ? UnixFileMode.OtherRead | UnixFileMode.OtherWrite : 0);
        if (mode != Own)
        {
            // Fails where this user isn't in the folder's group, which does no harm.
            _ = Posix.ChangeOwner(file, SameOwner, folder.Group);
            _ = Posix.ChangeMode(file, (int)mode);
        }
    }

    private static nint Release(SafeFileHandle file)
    {
        var handle = file.DangerousGetHandle();
        file.SetHandleAsInvalid();
        return handle;
    }
}
