using Crust.Disks;
using Crust.Events;
using Crust.Inspection;
using Crust.Machines;
using Crust.Spec;

namespace Crust;

/// <summary>Installs a disk, and takes care of one: tidies it, looks at what is on it, and discards free space.</summary>
internal sealed class DiskStage(DiskStore disks, DiskCare care, BuildJournal journal)
{
    /// <summary>Has the source fill the disk of a draft, takes care of it and keeps it.</summary>
    /// <exception cref="CrustException">The guest failed, or the disk lacks what its installer should have left; the failed disk is kept as evidence.</exception>
    internal async Task<InstalledDisk> InstallAsync(IDiskSource source, DiskDraft draft, Accelerator accelerator, RunFiles files, StageRunner stages, CancellationToken cancellation)
    {
        var disk = draft.CreateDisk();
        try
        {
            var before = journal.Warnings.Length;
            var facts = await source.FillAsync(disk, accelerator, files, cancellation);
            files.CopyTo(draft.Folder.Path);
            var work = DiskWork.Of(source.Target.Spec, source.Origin, disk, accelerator);
            var worked = await WorkAsync(work, facts, stages, cancellation);
            return await draft.KeepAsync(facts with { Inspection = worked.Inspection, Tidied = worked.Tidied, TrimmedBytes = worked.TrimmedBytes, Warnings = journal.Warnings[before..] },
                cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw draft.KeepFailed(e);
        }
    }

    /// <summary>Inspects a disk that never was: it was installed with inspect: false, where that couldn't be done, or by a Crust that didn't ask for packages.</summary>
    /// <exception cref="CrustException">It lacks what its installer should have left.</exception>
    internal async Task<InstalledDisk> InspectAsync(InstalledDisk disk, IDiskSource source, Accelerator accelerator, string folder, StageRunner stages, CancellationToken cancellation)
    {
        if (!disk.FromCache || !source.Target.Spec.Inspect || disk.Install.Inspection is { KnowsPackages: true })
        {
            return disk;
        }

        var before = journal.Warnings.Length;
        var work = DiskWork.Of(source.Target.Spec, source.Origin, disk.Path, accelerator) with { Folder = folder, Tidy = [], Trim = false };
        var worked = await WorkAsync(work, disk.Install, stages, cancellation);
        return disks.Remember(disk with { Install = disk.Install with { Inspection = worked.Inspection, Warnings = [.. disk.Install.Warnings.Union(journal.Warnings[before..])] } });
    }

    private async Task<DiskWorked> WorkAsync(DiskWork work, InstallFacts facts, StageRunner stages, CancellationToken cancellation)
    {
        if (!work.IsAny)
        {
            return DiskWorked.Nothing;
        }

        try
        {
            var working = stages.Begin(Stage.Disk, work.Describe());
            var worked = await care.WorkAsync(work, cancellation);
            working.End(worked.Describe());
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
