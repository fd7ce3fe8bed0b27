using Serilog;

namespace Crust.Storage;

/// <summary>
/// Expensive build artifacts, each in a folder of its own under its key: `&lt;cache&gt;/&lt;kind&gt;/&lt;key&gt;/`. A folder
/// under its final name is whole: it is filled under another name, and renamed. Several processes may share a cache.
/// </summary>
internal sealed class BuildCache(string root, ILogger log)
{
    private const string UnfinishedPrefix = ".unfinished-";

    public string Root { get; } = root;

    /// <summary>A folder with entries that come with Crust, as in its container; it is only read. Null for none.</summary>
    public string? Provided { get; init; }

    /// <summary>The entry's folder if it is there, else null.</summary>
    public string? Find(string kind, string key) => new[] { Root, Provided }.OfType<string>().Select(root => Path.Combine(root, kind, key)).FirstOrDefault(Directory.Exists);

    /// <summary>
    /// Opens an entry. If it isn't there, the caller holds its lock and has an empty private folder (mode 0700, on the same file system) to fill and then to
    /// <see cref="CacheEntry.Keep"/>. While another process fills the same entry, its end is waited for.
    /// </summary>
    /// <param name="onWait">Called once if there is a wait.</param>
    /// <exception cref="CrustException">The cache can't be written.</exception>
    public async Task<CacheEntry> OpenAsync(string kind, string key, Action<string>? onWait, CancellationToken cancellation)
    {
        if (Find(kind, key) is { } there)
        {
            return CacheEntry.Of(there);
        }

        var final = FolderOf(kind, key);
        var parent = Path.Combine(Root, kind);
        Write(parent, () => PrivateFolder.Create(parent));
        var held = await FileLock.AcquireAsync(final + ".lock", onWait, cancellation);
        try
        {
            if (Directory.Exists(final))
            {
                held.Dispose();
                return CacheEntry.Of(final);
            }

            HeldFolder? draft = null;
            Write(parent, () => draft = HeldFolder.Create(parent, UnfinishedPrefix, onAbandoned: LogAbandoned));
            RemoveOfEarlierVersions(parent, final);
            return CacheEntry.ToFill(draft!, final, held, log);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Copies an entry below another folder, where a cache that is given it as <see cref="Provided"/> finds it.</summary>
    /// <exception cref="CrustException">It can't be written there.</exception>
    public void CopyTo(string folder, string kind, string key)
    {
        var from = Find(kind, key) ?? throw new ArgumentException($"There is no {kind} {key}.", nameof(key));
        var to = Path.Combine(folder, kind, key);
        try
        {
            foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(to, Path.GetRelativePath(from, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy, overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The folder can't be written: {e.Message}", folder, "make it writable, or choose another", e);
        }
    }

    /// <summary>Removes an entry. Nothing happens if it isn't there.</summary>
    public void Remove(string kind, string key) => TryDelete(FolderOf(kind, key));

    private void LogAbandoned(string folder) => log.Information("Removing {Folder}, left by a build that was killed", folder);

    // Earlier versions named a draft after its entry, whose lock alone held it.
    private void RemoveOfEarlierVersions(string parent, string heldEntry)
    {
        // .NET's `?` also stands for no character before a dot.
        foreach (var folder in Directory.EnumerateDirectories(parent, $"*{UnfinishedPrefix}*").Where(folder => !Path.GetFileName(folder).StartsWith(UnfinishedPrefix, StringComparison.Ordinal)))
        {
            var entry = folder[..folder.LastIndexOf(UnfinishedPrefix, StringComparison.Ordinal)];
            try
            {
                using var held = entry == heldEntry ? null : FileLock.TryAcquireOwn(entry + ".lock");
                if ((entry == heldEntry || held is not null) && FileFacts.TryOf(folder, follow: false) is { Kind: FileKind.Folder, IsOwn: true })
                {
                    LogAbandoned(folder);
                    TryDelete(folder);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The next build may succeed.
            }
        }
    }

    private string FolderOf(string kind, string key) => Path.Combine(Root, kind, key);

    private static void Write(string folder, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The cache can't be written: {e.Message}", folder,
                "make it writable, or set CRUST_CACHE to a folder that is", e);
        }
    }

    internal static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone already, which is what was wanted.
        }
    }
}
