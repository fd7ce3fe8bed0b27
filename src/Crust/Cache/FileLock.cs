namespace Crust.Cache;

/// <summary>A lock between processes: an advisory flock(2) on a file, released by the kernel when its holder dies.</summary>
public sealed class FileLock : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    // EAGAIN, also called EWOULDBLOCK: flock(2)'s word for "another process has it".
    private const int WouldBlock = 11;

    private readonly FileStream _stream;

    private FileLock(FileStream stream) => _stream = stream;

    /// <summary>Waits until the lock is free and takes it. <paramref name="onWait"/> is called once, with the file's path, if there is a wait.</summary>
    /// <exception cref="CrustException">The lock file can't be made.</exception>
    public static async Task<FileLock> AcquireAsync(string path, Action<string>? onWait, CancellationToken cancellation)
    {
        for (var waits = 0; ; waits++)
        {
            try
            {
                // .NET takes an exclusive flock for FileShare.None and throws IOException if another process has it.
                return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
            }
            catch (IOException e) when (e.HResult == WouldBlock)
            {
                if (waits == 0)
                {
                    onWait?.Invoke(path);
                }

                await Task.Delay(Interval, cancellation);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CrustException(FailureKind.HostLacks, $"The lock can't be taken: {e.Message}", path, "make its folder writable", e);
            }
        }
    }

    /// <summary>Takes the lock if it is free; null if another process has it or the file can't be written.</summary>
    public static FileLock? TryAcquire(string path)
    {
        try
        {
            return new FileLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Gives the lock back. The file stays: removing it would let two processes lock two different files.</summary>
    public void Dispose() => _stream.Dispose();
}
