using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Bases;
using Crust.Events;
using Crust.Layers;
using Crust.Recipes.Building;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Providers;

/// <summary>
/// Builds the system that an installer brings, as a tar archive of its root: a base, what is done to it in a machine, and layers over it. It is kept in the cache, by what it is made of:
/// an installer whose user-data alone has changed finds it there.
/// </summary>
/// <param name="tools">Needs what unpacks layers.</param>
/// <param name="images">Has images that registries have.</param>
/// <param name="steps">Does to bases what is done in a machine.</param>
internal sealed class SystemBuilder(ToolBox tools, IRegistryImages images, RecipeTrees recipes, SystemSteps steps, BuildCache cache, IBuildObserver observer, TimeProvider time)
{
    // Raise it when the same parts would make another system.
    private const int Version = 1;

    private const string Kind = "systems";
    private const string RootName = "root.tar";

    /// <summary>Gives the path of the archive.</summary>
    /// <exception cref="CrustException">Something that it is made of can't be had, or the cache can't be written.</exception>
    public async Task<string> BuildAsync(ProviderSpec spec, Arch arch, CancellationToken cancellation)
    {
        LayerTrees.Check(spec);
        using var scratch = new ScratchFolder(cache.Root);
        var trees = new LayerTrees(tools, images, recipes);
        var stages = new StageRunner(observer, time);
        var image = await stages.RunAsync(Stage.Base, $"{spec.Base} for {arch.LowerName()}", () => trees.OpenAsync(spec.Base, arch, spec.Publish, cancellation), opened => opened.Shown);
        var baseKey = LayerTrees.KeyOf(image, arch);
        var key = new List<string> { $"system={Version} {arch.LowerName()} {baseKey}", SiteFiles.KeyOf(spec.Site) };
        key.AddRange(spec.Steps.Select(step => step.Digest));
        foreach (var layer in spec.Layers)
        {
            key.Add($"{layer.Shown} {await trees.KeyOfAsync(layer, arch, spec.Publish, cancellation)}");
        }

        using var entry = await cache.OpenAsync(Kind, Checksum.OfText(string.Join('\n', key)), Waiting, cancellation);
        return entry.Found is { } there ? Path.Combine(there, RootName)
            : await stages.RunAsync(Stage.Layers, $"the system for {arch.LowerName()}", () => BuildAsync(spec, trees, image, baseKey, arch, scratch.Path, entry, cancellation), _ =>
                $"{spec.Steps.Length} steps and {spec.Layers.Length} layers");
    }

    private async Task<string> BuildAsync(ProviderSpec spec, LayerTrees trees, OpenedImage image, string baseKey, Arch arch, string scratch, CacheEntry entry, CancellationToken cancellation)
    {
        var tree = await trees.RootOfAsync(image, arch, Path.Combine(scratch, "base"), cancellation);
        var site = SiteFiles.Of(spec.Site, tree);
        ImmutableArray<RootStep> running = [.. SiteFiles.TrustOf(spec.Site, tree), .. SiteFiles.WithProxies(spec.Steps, spec.Site)];
        tree = Over(site, tree, spec.Site.Where);
        if (!running.IsEmpty)
        {
            var path = await steps.LayerAsync(tree, $"{baseKey} {TreeDigest.Of(site)}", running, spec.Machine with { Arch = arch }, Path.Combine(scratch, "steps"), Waiting, cancellation);
            tree = tree.WithLayer(path, allowDevices: true);
        }

        foreach (var (i, layer) in spec.Layers.Index())
        {
            tree = Over(await trees.OfAsync(layer, tree, arch, spec.Publish, Path.Combine(scratch, $"layer-{i}"), cancellation), tree, layer.Where);
        }

        await using (var file = PrivateFile.Create(Path.Combine(entry.Draft, RootName)))
        {
            await MachineIdentity.Without(tree).WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        }

        return Path.Combine(entry.Keep(), RootName);
    }

    private void Waiting(string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Layers, null, null, detail));

    private static FileTree Over(FileTree layer, FileTree below, string where)
    {
        try
        {
            return layer.Over(below);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The layer doesn't fit onto the base: {e.Message}", where, "move the file, or leave it out", e);
        }
    }
}
