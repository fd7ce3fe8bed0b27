using System.Collections.Immutable;
using System.Text.Json;
using Crust.Appliance;
using Crust.Bases;
using Crust.Events;
using Crust.Layers;
using Crust.Oci;
using Crust.Recipes.Building;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Providers;

/// <summary>
/// Builds provider images and pushes them: for each Kubernetes version an index over architectures, whose images have the base's layers as they are and Crust's own
/// over them. No container
/// engine, no root. What is the same in several versions is one layer, which a registry is given once.
/// </summary>
/// <param name="tools">Needs skopeo, and what unpacks layers.</param>
/// <param name="images">Has images that registries have.</param>
/// <param name="cache">A folder for what is there for a while.</param>
/// <param name="steps">Does to bases what is done in a machine.</param>
internal sealed class ProviderBuilder(ToolBox tools, IRegistryImages images, RecipeTrees recipes, SystemSteps steps, string cache, IBuildObserver observer, TimeProvider time)
{
    // The time of all files that layers bring.
    private const long Epoch = Mmdebstrap.Epoch;

    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Builds and pushes all of a spec's images. What is there already isn't pushed again.</summary>
    /// <exception cref="CrustException">Something that they are made of can't be had, a tag is taken by something else, or a registry refuses it.</exception>
    public async Task<ProviderResult> PublishAsync(ProviderSpec spec, CancellationToken cancellation)
    {
        var targets = ProviderTarget.Of(spec);
        LayerTrees.Check(spec);
        tools.Require(Skopeo.Program);
        using var scratch = new ScratchFolder(cache);
        var registry = new Registry(new Skopeo(tools, spec.Publish, scratch.Path, time), spec.Publish, FirstWait, observer, time);
        foreach (var target in targets)
        {
            TagOwner.Check(target.Index, await registry.ReadAsync(target.Index, cancellation), target.Name, spec.Publish.Overwrite);
        }

        var stages = new StageRunner(observer, time);
        var trees = new LayerTrees(tools, images, recipes);
        var layout = OciLayout.Create(scratch.Path);
        var pushed = new List<(ProviderTarget Target, PublishedArch Arch)>();
        var taken = spec.Base;
        foreach (var arch in spec.Archs)
        {
            var folder = Directory.CreateDirectory(Path.Combine(scratch.Path, arch.LowerName())).FullName;
            var below = await stages.RunAsync(Stage.Base, $"{spec.Base} for {arch.LowerName()}", () => BaseOfAsync(spec, trees, arch, folder, cancellation), opened =>
                opened.Shown);
            taken = below.Shown;
            below = await ChangedAsync(spec, stages, below, arch, folder, cancellation);
            var shared = await stages.RunAsync(Stage.Layers, $"layers for {arch.LowerName()}", () => SharedAsync(spec, trees, below, arch, folder, cancellation), done =>
                $"{done.Length} layers");
            foreach (var target in targets)
            {
                var kubernetes = await KubernetesAsync(spec, trees, below, target.Version, arch, folder, cancellation);
                CheckPlaces(below.Tree, [.. kubernetes, .. shared]);
                ImmutableArray<LayerBlob> layers = [.. below.Changes.Concat(kubernetes).Concat(shared).Select(layer => layer.Blob)];
                var one = await stages.RunAsync(Stage.Publish, target.For(arch).ToString(),
                    () => PushAsync(registry, layout, below, layers, target, arch, spec.Publish.Overwrite, cancellation),
                    done => $"{(done.Pushed ? "pushed" : "already there, nothing pushed:")} {done.Digest}");
                pushed.Add((target, one));
            }

            // What was unpacked; the layers beside it are still linked to, and may be another architecture's, too.
            BuildCache.TryDelete(folder);
        }

        // Last: whoever sees an index can rely on what it names.
        var indexes = new SharedIndex(registry);
        var published = ImmutableArray.CreateBuilder<PublishedProvider>();
        foreach (var target in targets)
        {
            var index = await indexes.KeepArchitecturesAsync(target.Index, target.Name, cancellation);
            published.Add(new PublishedProvider(target.Version, target.Index, index.Digest, [.. pushed.Where(one => one.Target == target).Select(one => one.Arch)]));
        }

        return new ProviderResult(taken, published.ToImmutable(), PackValues.Of(spec, targets));
    }

    private async Task<Below> BaseOfAsync(ProviderSpec spec, LayerTrees trees, Arch arch, string folder, CancellationToken cancellation)
    {
        var image = await trees.OpenAsync(spec.Base, arch, spec.Publish, cancellation);
        var parts = OciImageReader.PartsOf(image.Layout, image.Shown, arch);
        var tree = await trees.RootOfAsync(image, arch, Path.Combine(folder, "base"), cancellation);
        if (tree.Follow("etc/kairos-release") is null)
        {
            observer.Observe(new BuildEvent.Warned($"{image.Shown} has no /etc/kairos-release: machines that run Kairos' agent can't upgrade to it"));
        }

        return new Below(image.Shown, parts, tree);
    }

    private async Task<Below> ChangedAsync(ProviderSpec spec, StageRunner stages, Below below, Arch arch, string folder, CancellationToken cancellation)
    {
        var isBare = spec.Kubernetes.OnlyWithoutExtensions && SystemdVersion.Of(below.Tree) is { } systemd && systemd >= SystemdVersion.WithExtensions;
        if (isBare)
        {
            observer.Observe(new BuildEvent.Noted($"The base's systemd is {SystemdVersion.Of(below.Tree)}: Kubernetes and the provider come by system extensions, and the images have neither"));
        }

        below = below with { IsBare = isBare };
        var site = PlacedIn(below.Tree, SiteFiles.Of(spec.Site, below.Tree), spec.Site.Where);
        ImmutableArray<RootStep> running = [.. SiteFiles.TrustOf(spec.Site, below.Tree), .. SiteFiles.WithProxies(spec.Steps, spec.Site)];
        if (site.Count > 0)
        {
            below = below with { Tree = site.Over(below.Tree), Changes = [await WriteAsync(site, "site", spec.Site.Where, $"{folder}-site", cancellation)] };
        }

        if (running.IsEmpty)
        {
            return below;
        }

        var key = $"{string.Join(' ', below.Parts.Layers.Select(layer => layer.Descriptor.Digest))} {TreeDigest.Of(site)}";
        return await stages.RunAsync(Stage.Layers, $"steps for {arch.LowerName()}", async () =>
        {
            var path = await steps.LayerAsync(below.Tree, key, running, spec.Machine with { Arch = arch }, Path.Combine(folder, "steps"),
                waiting => observer.Observe(new BuildEvent.Progressed(Stage.Layers, null, null, waiting)), cancellation);
            var changes = FileTree.FromTar(path, allowDevices: true);
            var (where, shown) = (running[0].Where, spec.Steps.IsEmpty ? "certificates" : "Dockerfile");
            return below with
            {
                Tree = below.Tree.WithLayer(path, allowDevices: true),
                Changes = changes.Count == 0 ? below.Changes : [.. below.Changes, await WriteAsync(changes, shown, where, $"{folder}-steps", cancellation)],
            };
        }, _ => running.Length == 1 ? "1 step" : $"{running.Length} steps");
    }

    // All layers but Kubernetes': they depend on the base alone, and so are the same in all versions.
    private static async Task<ImmutableArray<Made>> SharedAsync(ProviderSpec spec, LayerTrees trees, Below below, Arch arch, string folder,
        CancellationToken cancellation)
    {
        var made = ImmutableArray.CreateBuilder<Made>();
        if (IdentityLayer.Of(below.Tree) is { Count: > 0 } identity)
        {
            made.Add(await WriteAsync(identity, "without host keys and machine id", spec.Path, $"{folder}-identity", cancellation));
        }

        foreach (var (i, layer) in spec.Layers.Index().Where(layer => !(below.IsBare && layer.Item.IsOfKubernetes)))
        {
            var tree = await trees.OfAsync(layer, below.Tree, arch, spec.Publish, Path.Combine(folder, $"tree-{i}"), cancellation);
            if (PlacedIn(below.Tree, tree, layer.Where) is { Count: > 0 } placed)
            {
                made.Add(await WriteAsync(placed, layer.Shown, layer.Where, $"{folder}-layer-{i}", cancellation));
            }
        }

        return made.ToImmutable();
    }

    private static async Task<ImmutableArray<Made>> KubernetesAsync(
        ProviderSpec spec, LayerTrees trees, Below below, KubernetesVersion version, Arch arch, string folder, CancellationToken cancellation) =>
        below.IsBare || LayerTrees.KubernetesOf(spec, version) is not { } recipe ? []
            : [await WriteAsync(PlacedIn(below.Tree, await trees.OfAsync(recipe, arch, cancellation), version.Where), $"recipe {recipe.Shown}", version.Where,
                $"{folder}-kubernetes-{version.Version}", cancellation)];

    private static FileTree PlacedIn(FileTree below, FileTree tree, string where)
    {
        try
        {
            return PlacedLayer.Of(tree, below);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The layer doesn't fit onto the base: {e.Message}", where, "move the file, or leave it out", e);
        }
    }

    private static async Task<Made> WriteAsync(FileTree tree, string shown, string where, string path, CancellationToken cancellation)
    {
        try
        {
            return new Made(tree, where, await LayerBlob.WriteAsync(tree, path, shown, Epoch, cancellation));
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"A layer can't be written: {e.Message}", where,
                "check the files that it is made of, and the space of the cache's file system", e);
        }
    }

    private static void CheckPlaces(FileTree below, ImmutableArray<Made> layers)
    {
        foreach (var layer in layers)
        {
            if (PlacedLayer.FindMoved(layer.Tree, below) is { } moved)
            {
                throw new CrustException(FailureKind.BadInput, $"A layer has /{moved} as a folder, and one below it makes something else of it", layer.Where,
                    "name the files by the path that the link leads to");
            }

            below = layer.Tree.Over(below);
        }
    }

    private async Task<PublishedArch> PushAsync(
        Registry registry, OciLayout layout, Below below, ImmutableArray<LayerBlob> layers, ProviderTarget target, Arch arch, bool mayOverwrite,
            CancellationToken cancellation)
    {
        var own = target.For(arch);
        try
        {
            var config = ProviderImage.ConfigOf(below.Parts, layers);
            var manifest = ProviderImage.ManifestOf(config, below.Parts, layers, target.Name, target.Version.Version);
            var there = await registry.ReadAsync(own, cancellation);
            TagOwner.Check(own, there, target.Name, mayOverwrite);
            var isThere = there?.Sha256 == manifest.Sha256;
            if (!isThere)
            {
                foreach (var (descriptor, blob) in below.Parts.Layers)
                {
                    await layout.AddAsync(descriptor, blob, cancellation);
                }

                foreach (var layer in layers)
                {
                    layout.Add(layer.Descriptor, layer.Path);
                }

                layout.Add(config);
                layout.Add(manifest);
                await registry.PushAsync(layout.Name(OciDescriptor.Of(OciManifest.ManifestType, manifest)), own, manifest,
                    moved => observer.Observe(new BuildEvent.Progressed(Stage.Publish, own.Tag, null, $"{Size.Format(moved)} moved")), cancellation);
            }

            return new PublishedArch(arch, own, manifest.Digest,
                [.. layers.Select(layer => new PublishedLayer(layer.Shown, layer.Descriptor.Digest, layer.Descriptor.Size))], !isThere);
        }
        catch (Exception e) when (e is InvalidDataException or JsonException or InvalidOperationException)
        {
            throw ProviderImage.Unusable(below.Shown, e);
        }
    }

    /// <summary>The base for one architecture.</summary>
    /// <param name="Tree">Its root, after what was done to it.</param>
    private sealed record Below(string Shown, OciImageParts Parts, FileTree Tree)
    {
        /// <summary>The layer of what was done to it; empty for nothing.</summary>
        public ImmutableArray<Made> Changes { get; init; } = [];

        /// <summary>Whether it gets neither Kubernetes nor what belongs to it.</summary>
        public bool IsBare { get; init; }
    }

    /// <param name="Tree">Its paths as they are in the image.</param>
    private sealed record Made(FileTree Tree, string Where, LayerBlob Blob);
}
