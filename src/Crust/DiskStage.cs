using Crust.Disks;
using Crust.Events;
using Crust.Inspection;
using Crust.Machines;
using Crust.Spec;

namespace Crust;

/// <summary>The disk of a draft with all on it that it should have, before anybody has taken care of it.</summary>
internal sealed record FilledDisk(InstallFacts Install)
{
    /// <summary>Whether the installed disk below its layers was in the cache, so that no installer ran.</summary>
    public bool FromCache { get; init; }

    /// <summary>Keeps it as it is.</summary>
    /// <exception cref="IOException">The cache can't be written.</exception>
    public async Task<InstalledDisk> KeepAsync(DiskDraft draft, CancellationToken cancellation) => await draft.KeepAsync(Install, cancellation) with { FromCache = FromCache };
}

/// <summary>Installs a disk, and takes care of one: tidies it, looks at what is on it, and discards free space.</summary>
internal sealed class DiskStage(DiskStore disks, DiskCare care, BuildJournal journal)
{
    /// <summary>Has the source fill the disk of a draft.</summary>
    /// <exception cref="CrustException">The guest failed; the failed disk is kept as evidence.</exception>
    internal async Task<FilledDisk> FillAsync(IDiskSource source, DiskDraft draft, Accelerator accelerator, RunFiles files, CancellationToken cancellation)
    {
        var disk = draft.CreateDisk();
        try
        {
            var before = journal.Warnings.Length;
            var facts = await source.FillAsync(disk, accelerator, files, cancellation);
            files.CopyTo(draft.Folder.Path);
            return new FilledDisk(facts with { Warnings = journal.Warnings[before..] });
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw draft.KeepFailed(e);
        }
    }

    /// <summary>Takes care of a draft's disk, once all is on it, and keeps it.</summary>
    /// <exception cref="CrustException">The disk lacks what its installer should have left; it is kept as evidence.</exception>
    internal async Task<InstalledDisk> KeepAsync(FilledDisk filled, IDiskSource source, DiskDraft draft, Accelerator accelerator, StageRunner stages, CancellationToken cancellation)
    {
        try
        {
            var (before, facts) = (journal.Warnings.Length, filled.Install);
            var work = DiskWork.Of(source.Target.Spec, source.Origin, draft.Folder.Disk, accelerator);
            var worked = await WorkAsync(work, facts, stages, cancellation);
            return await (filled with
            {
                Install = facts with
                {
                    Inspection = worked.Inspection,
                    Tidied = worked.Tidied,
                    TrimmedBytes = worked.TrimmedBytes,
                    Warnings = [.. facts.Warnings, .. journal.Warnings[before..]],
                },
            }).KeepAsync(draft, cancellation);
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
