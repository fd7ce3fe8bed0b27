using Crust.Disks;
using Crust.Storage;

namespace Crust.Tests.Storage;

/// <summary>What a stage does with the cache, in one call: it asks, and fills what isn't there.</summary>
internal static class CacheFilling
{
    public static async Task<string> GetOrAddAsync(this BuildCache cache, string kind, string key, Func<string, Task> fill, Action<string>? onWait, CancellationToken cancellation)
    {
        using var entry = await cache.OpenAsync(kind, key, onWait, cancellation);
        if (entry.Found is { } found)
        {
            return found;
        }

        await fill(entry.Draft);
        return entry.Keep();
    }

    public static async Task<InstalledDisk> GetOrInstallAsync(this DiskStore disks, string key, long size, Func<string, Task<InstallFacts>> install, Action<string> onWait, CancellationToken cancellation)
    {
        using var draft = await disks.OpenAsync(key, size, onWait, cancellation);
        return draft.Found ?? await draft.InstallAsync(install, cancellation);
    }

    public static async Task<InstalledDisk> InstallAsync(this DiskDraft draft, Func<string, Task<InstallFacts>> install, CancellationToken cancellation)
    {
        try
        {
            return await draft.KeepAsync(await install(draft.CreateDisk()), cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw draft.KeepFailed(e);
        }
    }
}
