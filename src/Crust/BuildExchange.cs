using Crust.Disks;
using Crust.Events;
using Crust.Installers;
using Crust.Isos;
using Crust.Machines;
using Crust.Planning;
using Crust.Registries.Sharing;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

/// <summary>What was fetched for a build.</summary>
/// <param name="Installer">The installer ISO, checked.</param>
/// <param name="DiskFrom">Where the installed disk is from, as the registry names it; null if the installer has to run, or this machine has had the disk before.</param>
/// <param name="HasDisk">Whether the installed disk is in this machine's cache now.</param>
public sealed record FetchedBuild(InstallerIso Installer, string? DiskFrom, bool HasDisk);

/// <summary>
/// What a build asks of the network and of registries, apart from it: a CI gives the login to the steps before and after the build, and none to the one that
/// runs a stranger's installer.
/// </summary>
public sealed class BuildExchange(
    InstallerLibrary installers, SeedComposer seeds, SharedCaches caches, DiskStore disks, BuildCache cache, BuildJournal journal, Redactor hidden, TimeProvider time)
{
    /// <summary>Brings into this machine's cache what a build will need: the installer and, if the spec names a shared cache that has it, the installed disk.</summary>
    /// <exception cref="CrustException">The installer can't be had, or isn't what its checksum says. A shared cache that fails is a warning.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing half-fetched is left but a download that can be resumed.</exception>
    public async Task<FetchedBuild> FetchAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var stages = new StageRunner(journal, time);
        hidden.Hide(spec);
        var installer = await stages.RunAsync(Stage.Installer, spec.Installer.Shown,
            () => installers.GetAsync(spec.Installer, spec.Machine.Arch, cancellation),
            iso => $"{Path.GetFileName(iso.Path)}, {Size.Format(iso.Size)}");
        using var scratch = new ScratchFolder(cache.Root);
        var build = Compose(spec, installer);
        using var shared = caches.Open(spec, build.Keys, journal);
        var isHere = disks.Find(build.Keys.Local) is not null;
        if (!shared.IsOn || isHere)
        {
            return new FetchedBuild(installer, null, isHere);
        }

        var order = Order(spec, installer, build, shared, scratch.Path);
        try
        {
            var disk = await disks.GetOrInstallAsync(order.LocalKey, spec.Machine.Disk, into => order.Shared.PullAsync(order.Build, into, stages, cancellation),
                _ => throw new NotSharedException(), _ => { }, cancellation);
            return new FetchedBuild(installer, disk.From, HasDisk: true);
        }
        catch (NotSharedException)
        {
            return new FetchedBuild(installer, null, HasDisk: false);
        }
    }

    /// <summary>Pushes the installed disk of a build to the shared cache that the spec names, if this machine has it and the registry doesn't.</summary>
    /// <exception cref="CrustException">The installer can't be had any more. A shared cache that fails is a warning.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <param name="spec">The spec.</param>
    /// <param name="key">Its build key; null if it isn't known, and then no disk is known either.</param>
    /// <param name="cancellation">Ends it.</param>
    public async Task PushDiskAsync(BuildSpec spec, string? key, CancellationToken cancellation)
    {
        hidden.Hide(spec);
        using var shared = caches.Open(spec);
        if (!shared.IsOn || key is null || disks.Find(key) is not { } disk)
        {
            return;
        }

        using var scratch = new ScratchFolder(cache.Root);
        var installer = await installers.GetAsync(spec.Installer, spec.Machine.Arch, cancellation);
        var build = Compose(spec, installer);
        // A disk with secrets that only this machine can tell apart is for nobody else.
        if (!build.Keys.IsShareable)
        {
            return;
        }

        var order = Order(spec, installer, build, shared, scratch.Path);
        await order.Shared.PushAsync(disk, order.Build, new StageRunner(journal, time), cancellation);
    }

    private ComposedBuild Compose(BuildSpec spec, InstallerIso installer)
    {
        var files = SeedFiles.Read(spec.Seed);
        var seed = seeds.Compose(spec, files, installer);
        hidden.Hide(seed.Secrets.Select(secret => secret.Reveal()));
        return new ComposedBuild(files, seed, BuildKey.For(installer, seed, spec, disks.LocalKey.Get));
    }

    // Nothing is installed or written here, so it doesn't matter what would run the machine.
    private static DiskOrder Order(BuildSpec spec, InstallerIso installer, ComposedBuild build, SharedCache shared, string folder) =>
        new(build.Keys.Published, spec, installer, build.Seed, build.Files, new ImagePlan([], []), Accelerator.Tcg, RunFiles.Draft(folder, ""), folder)
        {
            Name = spec.Name ?? installer.BaseName,
            LocalKey = build.Keys.Local,
            Shared = new SharedDisks(shared),
            Finished = new FinishedImages(shared),
        };

    private sealed record ComposedBuild(SeedFiles Files, Seed Seed, BuildKeys Keys);

    private sealed class NotSharedException : Exception;
}
