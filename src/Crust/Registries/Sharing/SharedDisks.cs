using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Formats.Zstd;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Registries.Sharing;

/// <summary>Pulls installed disks from a shared cache, and pushes them to it.</summary>
internal sealed class SharedDisks(SharedCache cache)
{
    // Of a pull, what comes over the network takes the longer part.
    private const double Pulled = 0.7;

    // What is under the tag and isn't what its name says: our own takes its place.
    private string? _refused;

    private bool _isPulled;

    /// <summary>Pulls the disk for a build key, if the registry has it. By its digest, which is asked for once: whoever moves the tag meanwhile changes nothing.</summary>
    /// <param name="draft">Its place in this machine's cache; nothing is in it where no disk is returned.</param>
    public async Task<InstalledDisk?> PullAsync(SharedBuild build, DiskDraft draft, StageRunner stages, CancellationToken cancellation)
    {
        if (!cache.IsOn)
        {
            return null;
        }

        var disk = await stages.RunAsync(Stage.Cache, $"the installed disk in {cache.Name}", () => TryPullAsync(build, draft, cancellation),
            pulled => pulled is not null ? $"pulled {pulled.From}" : cache.IsOn && _refused is null ? "it isn't there" : "not used");
        return disk is null ? null : draft.KeepPulled(disk);
    }

    /// <summary>Pushes a disk, unless the registry has one under its key: the first one stays.</summary>
    /// <param name="disk">The disk; null if the build needed none.</param>
    public async Task PushAsync(InstalledDisk? disk, SharedBuild build, StageRunner stages, CancellationToken cancellation)
    {
        if (disk is not null && cache.IsOn && !_isPulled)
        {
            await stages.RunAsync(Stage.Cache, $"the installed disk to {cache.Name}",
                () => cache.TryAsync(registry => PushAsync(registry, disk, build, cancellation)), done => done ?? "not pushed");
        }
    }

    private async Task<PulledDisk?> TryPullAsync(SharedBuild build, DiskDraft draft, CancellationToken cancellation)
    {
        PulledDisk? pulled = null;
        try
        {
            pulled = await cache.TryAsync(registry => PullAsync(registry, build, draft.Folder, cancellation));
        }
        finally
        {
            if (pulled is null)
            {
                draft.Clear();
            }
        }

        _isPulled = pulled is not null;
        return pulled;
    }

    private async Task<PulledDisk?> PullAsync(Registry registry, SharedBuild build, DiskFolder into, CancellationToken cancellation)
    {
        var tag = cache.At(PublishedKey.TagOfDisk(build.Key));
        if (await registry.ReadAsync(tag, cancellation) is not { } manifest)
        {
            return null;
        }

        try
        {
            var artifact = DiskArtifact.Read(manifest, build.Key);
            await cache.Trust.CheckAsync(registry, tag, artifact.Digest, build.Key, cancellation);
            return await PullAsync(registry, artifact, tag.With(artifact.Digest), into, build.Spec.Machine.Disk, cancellation);
        }
        catch (Exception e) when (e is InvalidDataException or RegistryException { Fault: RegistryFault.Altered })
        {
            _refused = manifest.Digest;
            cache.Warn($"what is there as {tag} is refused: {(e as CrustException)?.What ?? e.Message}");
            return null;
        }
    }

    private async Task<PulledDisk> PullAsync(Registry registry, DiskArtifact artifact, RegistryReference from, DiskFolder into, long size, CancellationToken cancellation)
    {
        const string remedy = "for instance with 'crust clean', or set CRUST_CACHE to another file system";
        var needed = artifact.Length + artifact.Data;
        SharedCache.CheckSpace("the disk in the cache", needed, into.Path, remedy);
        long written = 0;
        try
        {
            var folder = await registry.PullAsync(from, moved => Tell(Pulled * (written = Math.Min(moved, artifact.Length)) / artifact.Length), cancellation);
            written = artifact.Length;
            var (install, map) = DiskPack.Read(Path.Combine(folder, artifact.Pack.Sha256), into, size);
            if (map.Content() != artifact.Content)
            {
                throw new InvalidDataException($"{artifact.Digest} says of its disk what isn't so");
            }

            DiskStore.CreateSparse(into.Disk, size, "machine.disk (DISK_SIZE)");
            await ZstdDiskReader.UnpackAsync(Path.Combine(folder, artifact.Disk.Sha256), map, into.Disk, done =>
            {
                written = artifact.Length + (long)(done * artifact.Data);
                Tell(Pulled + (1 - Pulled) * done);
            }, cancellation);
            // The next build of this process's life may pull as well.
            BuildCache.TryDelete(folder);
            return new PulledDisk(install, from.ToString());
        }
        catch (Exception e) when (NoSpace.IsReasonOf(e) || e is RegistryException { Fault: RegistryFault.NoSpace })
        {
            throw new CrustException(FailureKind.InputOutput,
                $"The disk in the cache couldn't be pulled: no space is left, and about {Size.Format(Math.Max(BlockMap.Block, needed - written))} more are needed", into.Path,
                $"free space, {remedy}", e);
        }

        void Tell(double fraction) => cache.Observer.Observe(new BuildEvent.Progressed(Stage.Cache, null, fraction, ""));
    }

    private async Task<string?> PushAsync(Registry registry, InstalledDisk disk, SharedBuild build, CancellationToken cancellation)
    {
        var tag = cache.At(PublishedKey.TagOfDisk(build.Key));
        var signs = cache.Signer is not null && cache.Sign.IsWanted;
        if (cache.Trust.IsWanted && !signs)
        {
            return "not pushed: this build doesn't sign (sign.key, sign.gpgKey), and its cache.trust asks for signatures";
        }

        if (_refused is not null && await registry.ReadAsync(tag, cancellation) is { } there && !IsOurs(there))
        {
            return "not pushed: its tag names something else";
        }

        if (await FindAsync(registry, tag, build.Key, cancellation) is { } first)
        {
            return $"already there, nothing pushed: {first}";
        }

        var artifact = await DiskArtifact.PackAsync(disk, build, cache.Scratch, done => Tell(done / 2), cancellation);
        await registry.PushAsync(artifact.Source, tag.With(artifact.Manifest.Digest), artifact.Manifest, moved => Tell((1 + Math.Min(1, (double)moved / artifact.Length)) / 2), cancellation);
        if (signs)
        {
            await CacheTrust.SignAsync(registry, tag, artifact, build.Key, cache.Signer!, cache.Sign, cache.Scratch, cancellation);
        }

        // Whole under its digest by now. Another machine may have been faster.
        if (await FindAsync(registry, tag, build.Key, cancellation) is { } faster)
        {
            return faster == artifact.Manifest.Digest ? $"pushed {faster}" : $"another machine has pushed it meanwhile: {faster}";
        }

        try
        {
            await registry.TagAsync(tag.With(artifact.Manifest.Digest), tag, artifact.Manifest, cancellation);
            return $"pushed {artifact.Manifest.Digest}";
        }
        catch (RegistryException e) when (e.Fault is RegistryFault.Altered)
        {
            // Two at the very same moment: whichever stays is whole.
            if (await FindAsync(registry, tag, build.Key, cancellation) is { } other)
            {
                return $"another machine has pushed it meanwhile: {other}";
            }

            throw;
        }

        void Tell(double fraction) => cache.Observer.Observe(new BuildEvent.Progressed(Stage.Cache, null, fraction, ""));
    }

    // The digest of the disk that stays under a tag; null where there is none, or one that was refused.
    private async Task<string?> FindAsync(Registry registry, RegistryReference tag, string key, CancellationToken cancellation)
    {
        if (await registry.ReadAsync(tag, cancellation) is not { } there || there.Digest == _refused)
        {
            return null;
        }

        try
        {
            var first = DiskArtifact.Read(there, key);
            await cache.Trust.CheckAsync(registry, tag, first.Digest, key, cancellation);
            return first.Digest;
        }
        catch (InvalidDataException) when (cache.Trust.IsWanted && IsOurs(there))
        {
            // Whoever has pushed it isn't trusted: a disk of somebody who is takes its place.
            return null;
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"Its tag names something else: {e.Message}", tag.ToString(), "delete the tag in the registry", e);
        }
    }

    private static bool IsOurs(OciDocument manifest) => Artifact.DescriptorOf(manifest).ArtifactType == DiskArtifact.Type;
}
