using Serilog;

namespace Crust.Storage;

/// <summary>An entry of the cache: one that is there, or one that the caller fills. Disposing releases its lock, and deletes a draft that wasn't kept.</summary>
public sealed class CacheEntry : IDisposable
{
    private readonly string _final;
    private readonly FileLock? _held;
    private readonly ILogger? _log;
    private string? _draft;

    private CacheEntry(string? found, string? draft, string final, FileLock? held, ILogger? log) =>
        (Found, _draft, _final, _held, _log) = (found, draft, final, held, log);

    /// <summary>The folder of an entry that is there; null for one that is to be filled.</summary>
    public string? Found { get; }

    /// <summary>The folder to fill.</summary>
    /// <exception cref="InvalidOperationException">There is nothing to fill.</exception>
    public string Draft => _draft ?? throw new InvalidOperationException($"There is nothing to fill in {_final}.");

    internal static CacheEntry Of(string folder) => new(folder, null, folder, null, null);

    internal static CacheEntry ToFill(string draft, string final, FileLock held, ILogger log) => new(null, draft, final, held, log);

    /// <summary>Keeps what was filled, under the entry's final name.</summary>
    /// <returns>The entry's folder.</returns>
    /// <exception cref="IOException">It can't be renamed.</exception>
    public string Keep()
    {
        // Programs that wrote into it went by the umask; a cached disk holds what its users need not know.
        PrivateFolder.Tighten(Draft);
        Directory.Move(Draft, _final);
        _draft = null;
        _log?.Debug("Cached {Entry}", _final);
        return _final;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_draft is { } draft)
        {
            _draft = null;
            BuildCache.TryDelete(draft);
        }

        _held?.Dispose();
    }
}
