namespace Crust.Storage;

/// <summary>A private folder (mode 0700) in the cache that is removed with all in it; by the next build if this process is killed.</summary>
internal sealed class ScratchFolder : IDisposable
{
    private const string Prefix = "scratch-";

    private readonly HeldFolder _held;

    /// <summary>Makes it inside another folder, a part of the cache, which is made if need be; those of processes that were killed are removed.</summary>
    /// <exception cref="CrustException">It can't be made.</exception>
    public ScratchFolder(string parent)
    {
        try
        {
            PrivateFolder.Create(parent);
            _held = HeldFolder.Create(parent, Prefix);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The cache can't be written: {e.Message}", parent, "make it writable, or set CRUST_CACHE to a folder that is", e);
        }
    }

    public string Path => _held.Path;

    /// <summary>Removes those that processes left that were killed.</summary>
    public static void RemoveAbandoned(string parent) => HeldFolder.RemoveAbandoned(parent, Prefix);

    public void Dispose() => _held.Dispose();
}
