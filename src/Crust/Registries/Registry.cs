using System.Collections.Immutable;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Registries;

/// <summary>A registry, as patient with it as the spec says: what may well go the next time is tried again, each time after a longer wait.</summary>
/// <param name="how">How often it is tried again.</param>
/// <param name="firstWait">The wait before the second attempt; each further one is twice as long, up to a minute.</param>
internal sealed class Registry(Skopeo skopeo, PublishSpec how, TimeSpan firstWait, IBuildObserver observer, TimeProvider time)
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    // skopeo up to 1.13 drops fields of indexes that it doesn't know, such as an artifact's type.
    private bool _dropsTypes;

    /// <summary>A manifest or an index as the registry has it; null if there is none.</summary>
    public Task<OciDocument?> ReadAsync(RegistryReference from, CancellationToken cancellation) => TryAsync(() => skopeo.ReadAsync(from, cancellation), cancellation);

    /// <summary>The config of an image as the registry has it; null if there is none.</summary>
    /// <param name="from">Its name, with a digest.</param>
    public Task<OciDocument?> ReadConfigAsync(RegistryReference from, CancellationToken cancellation) => TryAsync(() => skopeo.ReadConfigAsync(from, cancellation), cancellation);

    /// <summary>The tags of a repository; none where the registry doesn't know it.</summary>
    public Task<IReadOnlySet<string>> ListTagsAsync(string repository, CancellationToken cancellation) => TryAsync(() => skopeo.ListTagsAsync(repository, cancellation), cancellation);

    /// <summary>Pushes an image or an artifact, and reads back what its name then stands for.</summary>
    /// <param name="source">What, as skopeo names it.</param>
    /// <param name="to">Its name in the registry.</param>
    /// <param name="moved">Receives how many bytes were moved.</param>
    /// <exception cref="RegistryException">It isn't there, or with other bytes.</exception>
    public async Task PushAsync(string source, RegistryReference to, OciDocument manifest, Action<long>? moved, CancellationToken cancellation)
    {
        await TryAsync(async () =>
        {
            await skopeo.PushAsync(source, to, moved, cancellation);
            return true;
        }, cancellation);
        var there = await ReadAsync(to, cancellation);
        if (there?.Sha256 != manifest.Sha256)
        {
            throw new RegistryException(RegistryFault.Altered, $"The registry {to.Registry} reports {there?.Digest ?? "nothing"} for what was pushed as {manifest.Digest}", to.ToString(),
                "don't use what is there; it changes manifests (a proxy may, too), or somebody else has pushed to the same tag at the same time");
        }
    }

    /// <summary>Pulls an image or an artifact by its digest.</summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <param name="moved">Receives how many bytes were written so far.</param>
    /// <returns>The folder with its blobs, each named after its SHA-256 in hex; their digests are checked.</returns>
    /// <exception cref="RegistryException">It isn't there, or not as its digest says.</exception>
    public Task<string> PullAsync(RegistryReference from, Action<long> moved, CancellationToken cancellation) => TryAsync(async () =>
    {
        var folder = $"pulled-{Guid.NewGuid().ToString("N")[..12]}";
        var path = Path.Combine(skopeo.Folder, folder);
        try
        {
            await skopeo.PullAsync(from, folder, moved, cancellation);
            return path;
        }
        catch
        {
            BuildCache.TryDelete(path);
            throw;
        }
    }, cancellation);

    /// <summary>Pulls an image by its digest into an OCI archive.</summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <param name="archive">The path of the archive; there must be nothing.</param>
    /// <param name="moved">Receives how many bytes were written so far.</param>
    /// <exception cref="RegistryException">It isn't there, or not as its digest says.</exception>
    public Task PullArchiveAsync(RegistryReference from, string archive, Action<long> moved, CancellationToken cancellation) => TryAsync(async () =>
    {
        File.Delete(archive);
        await skopeo.PullArchiveAsync(from, archive, moved, cancellation);
        return true;
    }, cancellation);

    /// <summary>Pulls an image's layers by its digest into a folder of blobs; those that are there already stay.</summary>
    /// <param name="from">Its name, with a digest.</param>
    /// <param name="blobs">The folder's absolute path, as <see cref="Skopeo.PullBlobsAsync"/> wants it.</param>
    /// <param name="moved">Receives how many bytes were written so far.</param>
    /// <exception cref="RegistryException">It isn't there, or not as its digest says.</exception>
    public Task PullBlobsAsync(RegistryReference from, string blobs, Action<long> moved, CancellationToken cancellation) => TryAsync(async () =>
    {
        await skopeo.PullBlobsAsync(from, blobs, moved, cancellation);
        return true;
    }, cancellation);

    /// <summary>Gives an image that is in the registry another tag there.</summary>
    public Task TagAsync(RegistryReference from, RegistryReference to, OciDocument manifest, CancellationToken cancellation) => PushAsync(Skopeo.Named(from), to, manifest, null, cancellation);

    /// <summary>Pushes an index alone; what it names is there.</summary>
    public async Task PushIndexAsync(RegistryReference to, IReadOnlyList<OciDescriptor> entries, ImmutableSortedDictionary<string, string>? annotations, CancellationToken cancellation)
    {
        if (!_dropsTypes)
        {
            try
            {
                await PushIndexAsync(to, OciManifest.Index(entries, annotations), cancellation);
                return;
            }
            catch (RegistryException e) when (e.Fault is RegistryFault.Other && e.What.Contains("we cannot modify it", StringComparison.Ordinal))
            {
                _dropsTypes = true;
            }
        }

        await PushIndexAsync(to, OciManifest.Index(entries.Select(entry => entry with { ArtifactType = null }), annotations), cancellation);
    }

    private Task<bool> PushIndexAsync(RegistryReference to, OciDocument index, CancellationToken cancellation)
    {
        var layout = OciLayout.Create(skopeo.Folder);
        layout.Add(index);
        var source = layout.Name(OciDescriptor.Of(OciManifest.IndexType, index));
        return TryAsync(async () =>
        {
            await skopeo.PushAsync(source, to, null, cancellation);
            return true;
        }, cancellation);
    }

    private async Task<T> TryAsync<T>(Func<Task<T>> work, CancellationToken cancellation)
    {
        var wait = firstWait;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (RegistryException e) when (e.Passes && attempt <= how.Retries)
            {
                observer.Observe(new BuildEvent.Warned($"{e.What}; trying again in {Math.Ceiling(wait.TotalSeconds):0} s ({attempt} of {how.Retries})"));
            }

            await Task.Delay(wait, time, cancellation);
            wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
        }
    }
}
