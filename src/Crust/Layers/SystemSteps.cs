using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>
/// What steps make of a base, as a layer over it. It is kept: commands that fetch something leave something else another day, and so the same steps on the same base give the same layer
/// as long as the cache has it.
/// </summary>
internal sealed class SystemSteps(IRootSteps roots, BuildCache cache)
{
    // Raise it when the same steps would make another layer.
    private const int Version = 1;

    private const string Kind = "steps";
    private const string LayerName = "layer.tar";

    // What a machine has there is its own: builder/appliance/jobs/root leaves out what is in them.
    private static readonly string[] OfMachine = ["dev", "proc", "run", "sys", "tmp"];

    /// <summary>Gives the path of the layer, a tar archive.</summary>
    /// <param name="below">The base's root.</param>
    /// <param name="baseKey">Stands for the base: the same for the same root.</param>
    /// <param name="machine">What the machine is like in which they are done.</param>
    /// <param name="onWait">Called once if another build does the same steps.</param>
    /// <exception cref="CrustException">A step failed, or the cache can't be written.</exception>
    public async Task<string> LayerAsync(FileTree below, string baseKey, ImmutableArray<RootStep> steps, MachineSpec machine, string scratch, Action<string> onWait, CancellationToken cancellation)
    {
        var key = Checksum.OfText(string.Join('\n', [$"steps={Version} {machine.Arch.LowerName()} {baseKey}", .. steps.Select(step => step.Digest)]));
        using var entry = await cache.OpenAsync(Kind, key, onWait, cancellation);
        if (entry.Found is { } there)
        {
            return Path.Combine(there, LayerName);
        }

        Directory.CreateDirectory(scratch);
        var after = await roots.RunAsync(below, steps, machine, scratch, cancellation);
        await using (var file = PrivateFile.Create(Path.Combine(entry.Draft, LayerName)))
        {
            await TreeChanges.Between(below, after, OfMachine).WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        }

        return Path.Combine(entry.Keep(), LayerName);
    }
}
