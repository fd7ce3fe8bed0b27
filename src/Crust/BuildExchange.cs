using Crust.Disks;
using Crust.Events;
using Crust.Isos;
using Crust.Planning;
using Crust.Registries.Sharing;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust;

/// <param name="Source">The installer ISO or the base image, checked.</param>
/// <param name="DiskFrom">Where the installed disk is from, as the registry names it; null if it has to be made, or this machine has had the disk before.</param>
/// <param name="HasDisk">Whether the installed disk is in this machine's cache now.</param>
internal sealed record FetchedBuild(DiskOrigin Source, string? DiskFrom, bool HasDisk);

/// <summary>
/// What a build asks of the network and of registries, apart from it: a CI gives the login to the steps before and after the build, and none to the one that
/// runs a stranger's installer.
/// </summary>
internal sealed class BuildExchange(
    SourceLibrary sources, SeedComposer seeds, SharedCaches caches, DiskStore disks, BuildJournal journal, Redactor hidden, TimeProvider time)
{
    /// <summary>Brings into this machine's cache what a build will need: the installer or the base image and, if the spec names a shared cache that has it, the installed disk.</summary>
    /// <exception cref="CrustException">The installer can't be had, or isn't what its checksum says. A shared cache that fails is a warning.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing half-fetched is left but a download that can be resumed.</exception>
    public async Task<FetchedBuild> FetchAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var stages = new StageRunner(journal, time);
        hidden.Hide(spec);
        spec = await sources.PinAsync(spec, cancellation);
        var source = await stages.RunAsync(SourceLibrary.StageOf(spec), spec.ShownSource,
            () => sources.GetAsync(spec, cancellation),
            origin => $"{Path.GetFileName(origin.Path)}, {Size.Format(origin.Size)}");
        var target = TargetOf(spec, source);
        var keys = target.Keys ?? throw new InvalidOperationException(target.Unknown);
        using var shared = caches.Open(spec, keys, journal);
        var isHere = disks.Find(keys.Local) is not null;
        if (!shared.IsOn || isHere)
        {
            return new FetchedBuild(source, null, isHere);
        }

        using var draft = await disks.OpenAsync(keys.Local, spec.Machine.Disk, _ => { }, cancellation);
        var disk = draft.Found ?? await new SharedDisks(shared).PullAsync(BuildOf(target, source), draft, stages, cancellation);
        return new FetchedBuild(source, disk?.From, HasDisk: disk is not null);
    }

    /// <summary>Pushes the installed disk of a build to the shared cache that the spec names, if this machine has it and the registry doesn't.</summary>
    /// <exception cref="CrustException">The installer or the base image can't be had any more. A shared cache that fails is a warning.</exception>
    /// <param name="key">Its build key; null if it isn't known, and then no disk is known either.</param>
    public async Task PushDiskAsync(BuildSpec spec, string? key, CancellationToken cancellation)
    {
        hidden.Hide(spec);
        using var shared = caches.Open(spec);
        if (!shared.IsOn || key is null || disks.Find(key) is not { } disk)
        {
            return;
        }

        spec = await sources.PinAsync(spec, cancellation);
        var source = await sources.GetAsync(spec, cancellation);
        var target = TargetOf(spec, source);
        // A disk with secrets that only this machine can tell apart is for nobody else.
        if (target.Keys is { IsShareable: true })
        {
            await new SharedDisks(shared).PushAsync(disk, BuildOf(target, source), new StageRunner(journal, time), cancellation);
        }
    }

    private BuildTarget TargetOf(BuildSpec spec, DiskOrigin source)
    {
        var files = SeedFiles.Read(spec.Seed);
        if (source is InstallerIso installer)
        {
            hidden.Hide(seeds.Compose(spec, files, installer).Secrets.Select(secret => secret.Reveal()));
        }

        return BuildTarget.Of(spec, files, new SourceGlance(source.Size, source, source.BaseName), disks.LocalKey.Get);
    }

    private static SharedBuild BuildOf(BuildTarget target, DiskOrigin source) => new(target.Key!, target.Name, target.Spec, source.Sha256);
}
