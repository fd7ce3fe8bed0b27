using Crust.Storage;

namespace Crust.Disks;

/// <summary>
/// The disk for a build key while somebody gets it: found in the cache, or to be filled by an installer or from another machine. Disposing lets other builds go on,
/// and deletes what wasn't kept.
/// </summary>
internal sealed class DiskDraft : IDisposable
{
    private readonly string _key;
    private readonly long _size;
    private readonly CacheEntry? _entry;
    private readonly string _failed;

    private DiskDraft(InstalledDisk? found, string key, long size, CacheEntry? entry, string failed) => (Found, _key, _size, _entry, _failed) = (found, key, size, entry, failed);

    /// <summary>The disk in the cache; null if there is none.</summary>
    public InstalledDisk? Found { get; }

    /// <summary>The draft's folder, for the disk and what belongs beside it.</summary>
    internal DiskFolder Folder => new((_entry ?? throw new InvalidOperationException("The disk is there.")).Draft);

    internal static DiskDraft Of(InstalledDisk found) => new(found, found.Key, found.Size, null, "");

    internal static DiskDraft ToFill(string key, long size, CacheEntry entry, string failed) => new(null, key, size, entry, failed);

    /// <summary>Makes the empty sparse disk.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="CrustException">The file system can't hold it.</exception>
    internal string CreateDisk()
    {
        DiskStore.CreateSparse(Folder.Disk, _size, "machine.disk (DISK_SIZE)");
        return Folder.Disk;
    }

    /// <summary>Makes the disk a copy of another one, with the files of its installer's run: a reflink where the file system allows it, else without its holes.</summary>
    /// <exception cref="CrustException">The cache can't be written.</exception>
    internal async Task CopyAsync(InstalledDisk disk, CancellationToken cancellation)
    {
        try
        {
            await Task.Run(() => SparseFile.Duplicate(disk.Path, Folder.Disk, _ => { }, cancellation), cancellation);
            Folder.TakeRun(new DiskFolder(disk.RunFolder));
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The disk can't be copied: {e.Message}", Folder.Disk, "free space on the cache's file system, or set CRUST_CACHE to one that has more", e);
        }
    }

    /// <summary>Keeps a disk that was installed here. It is never written again.</summary>
    /// <exception cref="IOException">The cache can't be written.</exception>
    public async Task<InstalledDisk> KeepAsync(InstallFacts install, CancellationToken cancellation)
    {
        BmapFile.Write(await BlockMap.OfAsync(Folder.Disk, cancellation), Folder.Map);
        return Keep(new PulledDisk(install, null)) with { FromCache = false };
    }

    /// <summary>Keeps a disk that another machine has installed; its map is there already.</summary>
    /// <exception cref="IOException">The cache can't be written.</exception>
    internal InstalledDisk KeepPulled(PulledDisk pulled) => Keep(pulled);

    /// <summary>Keeps the disk of a failed install as evidence: one for each key, until the next attempt or `crust clean`.</summary>
    /// <returns>The error, which now says where the disk is.</returns>
    internal CrustException KeepFailed(CrustException error)
    {
        PrivateFolder.Create(_failed);
        var kept = Path.Combine(_failed, $"{_key[..16]}.raw");
        // It holds what the installer was told.
        File.SetUnixFileMode(Folder.Disk, UnixFileMode.UserRead);
        WholeFile.Place(Folder.Disk, kept);
        return error.At($"{error.Where}; the failed disk is kept as {kept}");
    }

    /// <summary>Empties the draft's folder: what was put there is of no use.</summary>
    /// <exception cref="IOException">Something can't be deleted.</exception>
    internal void Clear() => _entry?.Clear();

    /// <inheritdoc/>
    public void Dispose() => _entry?.Dispose();

    private InstalledDisk Keep(PulledDisk disk)
    {
        // Read-only from here on, and for this user alone.
        File.SetUnixFileMode(Folder.Disk, UnixFileMode.UserRead);
        new DiskRecord
        {
            Size = _size,
            ModifiedTicks = File.GetLastWriteTimeUtc(Folder.Disk).Ticks,
            Install = disk.Install,
            From = disk.From,
        }.Save(Folder.Record);
        return DiskStore.Load(_entry!.Keep(), _key);
    }
}
