using Crust.Disks;
using Crust.Events;
using Crust.Layers;
using Crust.Machines;
using Crust.Spec;

namespace Crust;

/// <summary>
/// Puts the layers onto copies of the installed disk, one after the other. The disk before each layer stays in the cache under a key of its own, so that a change in one
/// layer repeats that layer and those after it, and no installer.
/// </summary>
internal sealed class LayerStage(DiskStore disks, DiskStage diskStage, LayerRun run, BuildJournal journal)
{
    /// <summary>Fills the disk of a draft: what the source gives, with all layers on it.</summary>
    /// <exception cref="CrustException">The guest or a layer failed; of a layer that failed, nothing is left.</exception>
    internal async Task<FilledDisk> FillAsync(IDiskSource source, DiskDraft draft, Accelerator accelerator, RunFiles files, StageRunner stages, CancellationToken cancellation)
    {
        var target = source.Target;
        var (installed, disk) = (false, FindLatest(target));
        if (disk is null)
        {
            using var bare = await disks.OpenAsync(target.DisksBelow[0], target.Spec.Machine.Disk, lockFile => journal.TellOfWait(source.Filling, lockFile), cancellation);
            installed = bare.Found is null;
            disk = bare.Found ?? await (await diskStage.FillAsync(source, bare, accelerator, files, cancellation)).KeepAsync(bare, cancellation);
        }

        for (var i = target.DisksBelow.IndexOf(disk.Key); i < target.Layers.Length - 1; i++)
        {
            using var next = await disks.OpenAsync(target.DisksBelow[i + 1], disk.Size, lockFile => journal.TellOfWait(Stage.Layers, lockFile), cancellation);
            disk = next.Found ?? await (await ApplyAsync(target.Layers[i], disk, source, next, accelerator, stages, cancellation)).KeepAsync(next, cancellation);
        }

        var filled = await ApplyAsync(target.Layers[^1], disk, source, draft, accelerator, stages, cancellation);
        return filled with { FromCache = !installed };
    }

    private InstalledDisk? FindLatest(Planning.BuildTarget target) => target.DisksBelow.Reverse().Select(disks.Find).FirstOrDefault(found => found is not null);

    private async Task<FilledDisk> ApplyAsync(Layer layer, InstalledDisk below, IDiskSource source, DiskDraft draft, Accelerator accelerator, StageRunner stages, CancellationToken cancellation)
    {
        var laying = stages.Begin(Stage.Layers, layer.Title);
        var before = journal.Warnings.Length;
        await draft.CopyAsync(below, cancellation);
        var facts = await run.ApplyAsync(layer, draft.Folder.Disk, source.Target.Spec.Machine, accelerator, draft.Folder.Path, cancellation);
        laying.End("on the disk");
        return new FilledDisk(below.Install with
        {
            Layers = [.. below.Install.Layers, facts],
            Inspection = null,
            Warnings = [.. below.Install.Warnings, .. journal.Warnings[before..]],
        });
    }
}
