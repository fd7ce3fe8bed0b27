using System.Text.Json;
using Crust.Storage;
using Serilog;

namespace Crust.Disks;

/// <summary>Installed disks under their build keys.</summary>
internal sealed class DiskStore(BuildCache cache, ILogger log)
{
    private const string Kind = "disks";

    /// <summary>Tells this machine's disks apart by their secrets.</summary>
    public LocalKey LocalKey { get; } = new(cache.Root);

    /// <summary>Opens the disk for a build key: one that is there, or a draft that nobody else fills meanwhile. A build that makes the same disk is waited for.</summary>
    /// <param name="key">The build key in this machine's cache.</param>
    /// <param name="size">The size in bytes of a disk that is made.</param>
    /// <param name="onWait">Called once if there is a wait.</param>
    /// <exception cref="CrustException">The cache can't be written.</exception>
    public async Task<DiskDraft> OpenAsync(string key, long size, Action<string> onWait, CancellationToken cancellation)
    {
        if (Find(key) is { } found)
        {
            return DiskDraft.Of(found);
        }

        var entry = await cache.OpenAsync(Kind, key, onWait, cancellation);
        try
        {
            return entry.Found is { } folder ? DiskDraft.Of(Load(folder, key)) : DiskDraft.ToFill(key, size, entry, Path.Combine(cache.Root, "failed"));
        }
        catch
        {
            entry.Dispose();
            throw;
        }
    }

    /// <summary>The disk for a build key, or null. A disk that was changed after its install is dropped from the cache.</summary>
    public InstalledDisk? Find(string key)
    {
        if (cache.Find(Kind, key) is not { } folder)
        {
            return null;
        }

        try
        {
            return Load(folder, key);
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidDataException)
        {
            log.Warning("The cached disk {Key} isn't used any more: {Reason}", key, e.Message);
            cache.Remove(Kind, key);
            return null;
        }
    }

    /// <summary>Keeps what is known by now of how a disk came to be. Where that can't be written, the next build finds it out again.</summary>
    public InstalledDisk Remember(InstalledDisk disk)
    {
        try
        {
            if (cache.Find(Kind, disk.Key) is { } folder)
            {
                var file = new DiskFolder(folder).Record;
                (DiskRecord.Load(file) with { Install = disk.Install }).Save(file);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            log.Warning("What is known of the disk {Key} can't be kept: {Reason}", disk.Key, e.Message);
        }

        return disk;
    }

    /// <summary>What the disk for a build key occupies, in bytes; null if there is none. Nothing is changed, whatever state it is in.</summary>
    public long? FindAllocated(string key)
    {
        try
        {
            return cache.Find(Kind, key) is { } folder ? Load(folder, key).Allocated : null;
        }
        catch (Exception e) when (e is IOException or JsonException or InvalidDataException)
        {
            return null;
        }
    }

    internal static InstalledDisk Load(string folder, string key)
    {
        var its = new DiskFolder(folder);
        var record = DiskRecord.Load(its.Record);
        var file = new FileInfo(its.Disk);
        if (file.Length != record.Size || file.LastWriteTimeUtc.Ticks != record.ModifiedTicks)
        {
            throw new InvalidDataException("it was changed after its install");
        }

        return InstalledDisk.Of(key, its.Disk, BmapFile.Read(its.Map), record.Install) with { RunFolder = folder, From = record.From };
    }

    /// <summary>Makes an empty raw disk; an error names the key that its size came from.</summary>
    internal static void CreateSparse(string path, long size, string key)
    {
        try
        {
            using var handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
            RandomAccess.SetLength(handle, size);
        }
        // .NET's word for EFBIG is ArgumentOutOfRangeException: ext4 ends at 16 TiB.
        catch (Exception e) when (e is IOException or ArgumentOutOfRangeException)
        {
            throw new CrustException(FailureKind.HostLacks, $"A disk of {Spec.Size.Format(size)} can't be made: {(e is ArgumentOutOfRangeException ? SparseFile.TooLong : e.Message)}", path,
                $"set {key} to less than the file system allows, or CRUST_CACHE to another file system", e);
        }
    }
}
