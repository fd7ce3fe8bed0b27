using System.Collections.Immutable;
using Crust.Spec;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>
/// Puts layers onto a system that isn't on a disk yet: files are laid over it here, and what runs programs of the system runs in a machine that has it on a disk, as on an installed one.
/// What comes of the latter is kept: a change in a layer of files behind them runs nothing again.
/// </summary>
/// <param name="content">What layers bring.</param>
/// <param name="steps">Does what runs.</param>
internal sealed class SystemLayers(LayerContent content, SystemSteps steps, IBuildObserver observer)
{
    /// <summary>Gives the system with the layers. It reads from the scratch folder as long as it is used.</summary>
    /// <param name="key">Stands for the system: the same for the same root.</param>
    /// <param name="site">What its site asks of it; that comes before any layer.</param>
    /// <param name="machine">What the machine is like in which layers run.</param>
    /// <exception cref="CrustException">A layer can't be had, doesn't fit onto the system, or failed; with the last lines that its programs printed.</exception>
    public async Task<FileTree> PutAsync(FileTree system, string key, SiteSpec site, ImmutableArray<Layer> layers, MachineSpec machine, string scratch, CancellationToken cancellation)
    {
        var first = SiteFiles.TrustOf(site, system);
        var asked = SiteFiles.Of(site, system);
        system = asked.Over(system);
        // Whatever stands before the last one that runs is there when that runs.
        var ran = layers.IsEmpty ? 0 : layers.Length - layers.Reverse().TakeWhile(layer => !layer.Runs).Count();
        var before = first.IsEmpty ? layers.TakeWhile(layer => !layer.Runs && ran > 0).Count() : 0;
        for (var i = 0; i < before; i++)
        {
            system = await LaidAsync(system, layers[i], scratch, cancellation);
        }

        ImmutableArray<RootStep> running = [.. first, .. SiteFiles.WithProxies(layers[before..Math.Max(before, ran)].SelectMany(StepsOf), site)];
        if (!running.IsEmpty)
        {
            var below = Checksum.OfText(string.Concat([$"{key}\n{TreeDigest.Of(asked)}\n", .. layers[..before].Select(layer => layer.Material)]));
            var path = await steps.LayerAsync(system, below, running, machine, Path.Combine(scratch, "steps"),
                waiting => observer.Observe(new BuildEvent.Progressed(Stage.Layers, null, null, waiting)), cancellation);
            system = system.WithLayer(path, allowDevices: true);
        }

        foreach (var layer in layers[Math.Max(before, ran)..])
        {
            system = await LaidAsync(system, layer, scratch, cancellation);
        }

        return system;
    }

    // Scripts that follow each other need one machine.
    private static IEnumerable<RootStep> StepsOf(Layer layer)
    {
        if (layer.Spec is not LayerSpec.Script)
        {
            return [new RootStep.OfLayer(layer) { Where = layer.Spec.Where, Shown = layer.Title }];
        }

        var path = $"{RootScript.Folder}/script-{layer.Number}";
        return
        [
            new RootStep.Files(FileTree.Empty.With(layer.Tree!.Entries.Select(entry => entry with { Path = path }))) { Where = layer.Spec.Where, Shown = layer.Title },
            new RootStep.Command([$"/{path}"], "/", null, ImmutableSortedDictionary<string, string>.Empty) { Where = layer.Spec.Where, Shown = layer.Title },
        ];
    }

    private async Task<FileTree> LaidAsync(FileTree below, Layer layer, string scratch, CancellationToken cancellation)
    {
        foreach (var warning in layer.Warnings)
        {
            observer.Observe(new BuildEvent.Warned(warning, layer.Title));
        }

        if (layer.Requires is { Length: > 0 } path && below.Follow(path) is null)
        {
            throw new CrustException(FailureKind.BadInput, $"The base has no {path}: nothing there would read what this layer brings", layer.Spec.Where,
                "put what reads it into the base, by a layer of packages before this one");
        }

        // Several layers may be built in it.
        var own = Directory.CreateDirectory(Path.Combine(scratch, $"layer-{layer.Number}")).FullName;
        var (tree, _) = await content.OfAsync(layer, own, cancellation);
        try
        {
            return tree!.Over(below);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"It can't be laid over the base: {e.Message}", layer.Spec.Where, "put right what is said", e);
        }
    }
}
