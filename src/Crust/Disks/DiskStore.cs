using System.Text.Json;
using Crust.Storage;
using Serilog;

namespace Crust.Disks;

/// <summary>Installed disks under their build keys.</summary>
public sealed class DiskStore(BuildCache cache, ILogger log)
{
    private const string Kind = "disks";

    /// <summary>Tells this machine's disks apart by their secrets.</summary>
    public LocalKey LocalKey { get; } = new(cache.Root);

    /// <summary>
    /// The disk for a build key; if there is none, <paramref name="install"/> is given the path of an empty sparse disk
    /// of <paramref name="size"/> bytes and a folder for its own files, and installs to it.
    /// </summary>
    /// <exception cref="CrustException">What <paramref name="install"/> throws, or the cache can't be written.</exception>
    public Task<InstalledDisk> GetOrInstallAsync(string key, long size, Func<string, Task<InstallFacts>> install, Action<string> onWait, CancellationToken cancellation) =>
        GetOrInstallAsync(key, size, _ => Task.FromResult<PulledDisk?>(null), install, onWait, cancellation);

    /// <summary>
    /// The same, with another place to look at before anything is installed: <paramref name="pull"/> may put a disk with its map into the folder that it is given,
    /// where a run's files belong, too. It leaves nothing in it otherwise.
    /// </summary>
    /// <exception cref="CrustException">As above.</exception>
    internal async Task<InstalledDisk> GetOrInstallAsync(
        string key, long size, Func<DiskFolder, Task<PulledDisk?>> pull, Func<string, Task<InstallFacts>> install, Action<string> onWait, CancellationToken cancellation)
    {
        if (Find(key) is { } found)
        {
            return found;
        }

        var installed = false;
        var folder = await cache.GetOrAddAsync(Kind, key, async folder =>
        {
            var its = new DiskFolder(folder);
            var pulled = await pull(its);
            if (pulled is null)
            {
                CreateSparse(its.Disk, size, "machine.disk (DISK_SIZE)");
                pulled = new PulledDisk(await KeepIfFailedAsync(key, its.Disk, install), null);
                installed = true;
            }

            Seal(its.Disk);
            if (installed)
            {
                BmapFile.Write(await BlockMap.OfAsync(its.Disk, cancellation), its.Map);
            }

            new DiskRecord
            {
                Size = size,
                ModifiedTicks = File.GetLastWriteTimeUtc(its.Disk).Ticks,
                Install = pulled.Install,
                From = pulled.From,
            }.Save(its.Record);
        }, onWait, cancellation);
        return Load(folder, key) with { FromCache = !installed };
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

    // The disk of a failed install is evidence. One is kept for each key, until the next attempt or `crust clean`.
    private async Task<InstallFacts> KeepIfFailedAsync(string key, string path, Func<string, Task<InstallFacts>> install)
    {
        try
        {
            return await install(path);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            var folder = Path.Combine(cache.Root, "failed");
            PrivateFolder.Create(folder);
            var kept = Path.Combine(folder, $"{key[..16]}.raw");
            // It holds what the installer was told.
            File.SetUnixFileMode(path, UnixFileMode.UserRead);
            File.Move(path, kept, overwrite: true);
            throw e.At($"{e.Where}; the failed disk is kept as {kept}");
        }
    }

    private static InstalledDisk Load(string folder, string key)
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

    // Synced once, now that the guest is off; read-only from here on, and for this user alone.
    private static void Seal(string path)
    {
        using (var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        File.SetUnixFileMode(path, UnixFileMode.UserRead);
    }
}
