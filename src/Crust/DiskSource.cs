using Crust.Disks;
using Crust.Events;
using Crust.Host;
using Crust.Inspection;
using Crust.Installers;
using Crust.Isos;
using Crust.Machines;
using Crust.Planning;
using Crust.Registries.Sharing;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

/// <summary>The disk that a build wants.</summary>
/// <param name="Key">Its build key.</param>
/// <param name="Spec">The spec.</param>
/// <param name="Installer">The installer.</param>
/// <param name="Seed">What it is told.</param>
/// <param name="SeedFiles">The files that the seed was made of.</param>
/// <param name="Plan">The images that will be made of it.</param>
/// <param name="Accelerator">What runs guests, as the probe chose it.</param>
/// <param name="Files">Get the serial port's output and pictures of the screen.</param>
/// <param name="Folder">A private folder for what is needed meanwhile.</param>
internal sealed record DiskOrder(string Key, BuildSpec Spec, InstallerIso Installer, Seed Seed, SeedFiles SeedFiles, ImagePlan Plan, Accelerator Accelerator, RunFiles Files, string Folder)
{
    /// <summary>The images' base name.</summary>
    public required string Name { get; init; }

    /// <summary>Its key in this machine's cache, which is another one where there are secrets that only this machine can tell apart.</summary>
    public string LocalKey { get; init; } = Key;

    /// <summary>Images of other machines.</summary>
    public required FinishedImages Finished { get; init; }

    /// <summary>Disks of other machines.</summary>
    public required SharedDisks Shared { get; init; }

    /// <summary>The build, as other machines know it.</summary>
    public SharedBuild Build => new(Key, Name, Spec, Installer.Sha256);
}

/// <summary>Where installed disks come from: the cache, a registry that machines share as one, or an installer in a machine, whose disk is then tidied, looked at and trimmed.</summary>
public sealed class DiskSource(Preflight preflight, SeedCourier seedCourier, IsoFiles isoFiles, DiskStore disks, InstallRun installRun, DiskCare care, Folders folders, BuildJournal journal)
{
    /// <summary>Whether this machine has the disk for a build key.</summary>
    internal bool IsHere(string key) => disks.FindAllocated(key) is not null;

    /// <summary>The disk, installed if it isn't there yet.</summary>
    /// <exception cref="CrustException">Anything that a user can cause or cure.</exception>
    internal Task<InstalledDisk> GetAsync(DiskOrder order, StageRunner stages, CancellationToken cancellation) =>
        disks.GetOrInstallAsync(order.LocalKey, order.Spec.Machine.Disk, into => order.Shared.PullAsync(order.Build, into, stages, cancellation), disk => InstallAsync(order, disk, stages, cancellation),
            _ => journal.Observe(new BuildEvent.Progressed(Stage.Install, null, null, "another build installs the same; waiting for its result")), cancellation);

    /// <summary>Has a disk looked at that never was: it was installed with inspect: false, where that couldn't be done, or by a Crust that didn't ask for packages.</summary>
    /// <exception cref="CrustException">It lacks what its installer should have left.</exception>
    internal async Task<InstalledDisk> InspectAsync(InstalledDisk disk, DiskOrder order, StageRunner stages, CancellationToken cancellation)
    {
        if (!disk.FromCache || !order.Spec.Inspect || disk.Install.Inspection is { KnowsPackages: true })
        {
            return disk;
        }

        var before = journal.Warnings.Length;
        var work = WorkOn(order, disk.Path) with { Folder = order.Folder, Tidy = [], Trim = false };
        var worked = await WorkAsync(work, disk.Install, stages, cancellation);
        return disks.Remember(disk with { Install = disk.Install with { Inspection = worked.Inspection, Warnings = [.. disk.Install.Warnings.Union(journal.Warnings[before..])] } });
    }

    private async Task<InstallFacts> InstallAsync(DiskOrder order, string disk, StageRunner stages, CancellationToken cancellation)
    {
        var (spec, installer) = (order.Spec, order.Installer);
        preflight.CheckSpace(spec, installer, order.SeedFiles, order.Plan.ToWrite);
        var before = journal.Warnings.Length;
        var boot = KernelPlan.Choose(installer, spec, order.Seed);
        journal.Warn(KernelPlan.WarningOf(boot, spec, order.Seed));
        // Secrets: whatever happens to this process, the next command removes what is in there.
        using var scratch = new ScratchFolder(folders.Cache);
        using var told = await seedCourier.PrepareAsync(order.Seed, installer, scratch.Path, cancellation);
        using var kernel = await isoFiles.TakeKernelAsync(boot, told.Iso ?? installer.Path, told.Initramfs, scratch.Path, cancellation);
        var facts = await installRun.RunAsync(new InstallRequest(installer, told, disk, spec.Machine, order.Accelerator, order.Files)
        {
            DirectBoot = kernel?.Boot,
            BootKeys = spec.Installer.BootKeys,
            BootKeysAfter = spec.Installer.BootKeysAfter,
            // QEMU has opened or read all of them by now: from here on not even SIGKILL leaves one.
            OnStarted = () =>
            {
                told.Dispose();
                kernel?.Dispose();
            },
        }, cancellation);
        order.Files.CopyTo(Path.GetDirectoryName(disk)!);
        var worked = await WorkAsync(WorkOn(order, disk), facts, stages, cancellation);
        return facts with { Inspection = worked.Inspection, Tidied = worked.Tidied, TrimmedBytes = worked.TrimmedBytes, Warnings = journal.Warnings[before..] };
    }

    private static DiskWork WorkOn(DiskOrder order, string disk) => DiskWork.Of(order.Spec, order.Installer, disk, order.Accelerator);

    private async Task<DiskWorked> WorkAsync(DiskWork work, InstallFacts facts, StageRunner stages, CancellationToken cancellation)
    {
        if (!work.IsAny)
        {
            return DiskWorked.Nothing;
        }

        try
        {
            var worked = await stages.RunAsync(Stage.Disk, work.Describe(), () => care.WorkAsync(work, cancellation), done => done.Describe());
            journal.Warn(worked.Warnings);
            return worked;
        }
        catch (CrustException e)
        {
            // The installer's run is what the report tells of such a disk.
            e.Add(facts);
            throw;
        }
    }
}
