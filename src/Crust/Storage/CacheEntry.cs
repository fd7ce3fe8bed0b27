using Serilog;

namespace Crust.Storage;

/// <summary>An entry of the cache: one that is there, or one that the caller fills. Disposing releases its lock, and deletes a draft that wasn't kept.</summary>
internal sealed class CacheEntry : IDisposable
{
    private readonly string _final;
    private readonly FileLock? _held;
    private readonly ILogger? _log;
    private readonly HeldFolder? _draft;
    private bool _isKept;

    private CacheEntry(string? found, HeldFolder? draft, string final, FileLock? held, ILogger? log) =>
        (Found, _draft, _final, _held, _log) = (found, draft, final, held, log);

    /// <summary>The folder of an entry that is there; null for one that is to be filled.</summary>
    public string? Found { get; }

    /// <summary>The folder to fill.</summary>
    /// <exception cref="InvalidOperationException">There is nothing to fill.</exception>
    public string Draft => _draft is { } draft && !_isKept ? draft.Path : throw new InvalidOperationException($"There is nothing to fill in {_final}.");

    internal static CacheEntry Of(string folder) => new(folder, null, folder, null, null);

    internal static CacheEntry ToFill(HeldFolder draft, string final, FileLock held, ILogger log) => new(null, draft, final, held, log);

    /// <summary>Keeps what was filled, under the entry's final name.</summary>
    /// <returns>The entry's folder.</returns>
    /// <exception cref="IOException">It can't be renamed.</exception>
    public string Keep()
    {
        // Programs that wrote into it went by the umask; a cached disk holds what its users need not know.
        PrivateFolder.Tighten(Draft);
        _draft!.KeepAs(_final);
        _isKept = true;
        _log?.Debug("Cached {Entry}", _final);
        return _final;
    }

    /// <summary>Empties the folder to fill, where filling it has failed in one way and is tried in another.</summary>
    /// <exception cref="IOException">Something can't be deleted.</exception>
    public void Clear() => _draft?.Clear();

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            _draft?.Dispose();
        }
        finally
        {
            _held?.Dispose();
        }
    }
}
