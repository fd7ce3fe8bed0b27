using System.Text;
using Crust.Bases;
using Crust.Layers;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Spec;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Providers;

/// <summary>An image on this host.</summary>
/// <param name="Shown">What it is called: with its digest, where it came from a registry.</param>
internal sealed record OpenedImage(FileTree Layout, string Shown);

/// <summary>Reads what provider images are made of: images, folders, recipes. Each image that is named by a tag is the same one for all architectures.</summary>
/// <param name="tools">Needs what unpacks layers.</param>
internal sealed class LayerTrees(ToolBox tools, IRegistryImages images, RecipeTrees recipes)
{
    private const long LargestLayer = 16L << 30;
    private const string Providers = "system/providers";
    private const string Agent = "agent-provider";

    // Where newer images of providers have their agent; machines mount a file system of their own there.
    private const string NewProviders = "usr/local/system/providers";
    private const int LargestText = 1 << 20;

    private readonly Dictionary<string, RegistryReference> _pinned = [];
    private readonly Dictionary<(string, Arch), FileTree> _roots = [];

    /// <summary>Opens an image, by its name in a registry or the path of a layout or an archive.</summary>
    /// <exception cref="CrustException">It can't be had, or has none for the architecture.</exception>
    public async Task<OpenedImage> OpenAsync(string source, Arch arch, PublishSpec how, CancellationToken cancellation)
    {
        source = SourceFor(source, arch);
        if (!RegistryReference.IsImage(source))
        {
            return new OpenedImage(OciImageReader.Open(source), source);
        }

        var reference = _pinned.TryGetValue(source, out var pinned) ? pinned : RegistryReference.ParseImage(source, source);
        var pulled = await images.PullAsync(reference, arch, how, cancellation);
        _pinned[source] = reference.With($"sha256:{pulled.Digest}");
        return new OpenedImage(OciImageReader.Open(pulled.Archive), $"docker://{_pinned[source]}");
    }

    /// <summary>An image's name for an architecture.</summary>
    public static string SourceFor(string source, Arch arch) => source.Replace("{arch}", arch.LowerName(), StringComparison.Ordinal);

    /// <summary>An image's whole root.</summary>
    /// <param name="scratch">A new folder, which the tree reads from as long as it is used.</param>
    /// <exception cref="CrustException">It is damaged, or has no image of the architecture.</exception>
    public async Task<FileTree> RootOfAsync(OpenedImage image, Arch arch, string scratch, CancellationToken cancellation)
    {
        // Several layers may take something of one image.
        if (!_roots.TryGetValue((image.Shown, arch), out var root))
        {
            Directory.CreateDirectory(scratch);
            _roots[(image.Shown, arch)] = root = await new OciImageReader(tools).ReadAsync(image.Layout, image.Shown, arch, scratch, LargestLayer, cancellation);
        }

        return root;
    }

    /// <summary>What a layer puts onto the root, its paths as they were given.</summary>
    /// <param name="below">The root that it is put onto.</param>
    /// <param name="scratch">A new folder, which the tree may read from.</param>
    /// <exception cref="CrustException">Something isn't there, or can't be read.</exception>
    public async Task<FileTree> OfAsync(ProviderLayer layer, FileTree below, Arch arch, PublishSpec how, string scratch, CancellationToken cancellation)
    {
        try
        {
            return layer switch
            {
                ProviderLayer.Files files => Moved(Directory.Exists(files.Path) ? FileTree.FromFolder(files.Path) : FileTree.FromTar(files.Path), files.Into),
                ProviderLayer.OneFile one => FileTree.Empty.With(TreeEntry.File(one.Target,
                    TreeContent.Of(UserFile.ReadSmall(one.Source, one.Source, "layer's", 64 << 20, "put it into a folder, as a layer of files")))),
                ProviderLayer.Note note => FileTree.Empty.With(TreeEntry.File(note.Target, TreeContent.Of(note.Content))),
                ProviderLayer.Edit edit => Edited(edit, below),
                ProviderLayer.Image image => Taken(await RootOfAsync(await OpenAsync(image.Source, arch, how, cancellation), arch, scratch, cancellation), image),
                ProviderLayer.Software software => await OfAsync(software.Recipe, arch, cancellation),
                _ => throw new ArgumentOutOfRangeException(nameof(layer)),
            };
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The layer can't be taken: {e.Message}", layer.Where, "put right what is said, or leave the layer out", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"A layer's files can't be read: {e.Message}", layer.Where,
                "look whether they are still there, and whether this user may read them", e);
        }
    }

    /// <summary>Stands for an image: the same for the same layers.</summary>
    /// <exception cref="CrustException">It is damaged, or has no image of the architecture.</exception>
    public static string KeyOf(OpenedImage image, Arch arch) => string.Join(' ', OciImageReader.PartsOf(image.Layout, image.Shown, arch).Layers.Select(layer => layer.Descriptor.Digest));

    /// <summary>Stands for what a layer puts onto the root: known before anything is unpacked.</summary>
    /// <exception cref="CrustException">Something isn't there, or can't be read.</exception>
    public async Task<string> KeyOfAsync(ProviderLayer layer, Arch arch, PublishSpec how, CancellationToken cancellation) => layer switch
    {
        ProviderLayer.Image image => $"{KeyOf(await OpenAsync(image.Source, arch, how, cancellation), arch)} {string.Join(' ', image.Take)} {image.Into} {image.MayLack}",
        ProviderLayer.Software software => RecipeLayer.Of(software.Recipe, arch, RecipeUse.Provider).Material(),
        // What it makes of the base follows from the base.
        ProviderLayer.Edit => "",
        _ => TreeDigest.Of(await OfAsync(layer, FileTree.Empty, arch, how, "", cancellation)),
    };

    /// <summary>A recipe's tree.</summary>
    /// <exception cref="CrustException">It can't be fetched, or has nothing for the architecture.</exception>
    public async Task<FileTree> OfAsync(LayerSpec.Recipe recipe, Arch arch, CancellationToken cancellation)
    {
        try
        {
            return (await RecipeLayer.Of(recipe, arch, RecipeUse.Provider).BuildAsync(recipes, cancellation)).Tree;
        }
        catch (CrustException e)
        {
            throw e.At($"{recipe.Where}: {e.Where}");
        }
    }

    /// <summary>Checks all that can be checked before anything is fetched.</summary>
    /// <exception cref="CrustException">A file isn't there, or a recipe lacks a version or a sum.</exception>
    public static void Check(ProviderSpec spec)
    {
        foreach (var layer in spec.Layers)
        {
            if (layer switch { ProviderLayer.Files files => files.Path, ProviderLayer.OneFile one => one.Source, _ => null } is { } path && !Path.Exists(path))
            {
                throw new CrustException(FailureKind.BadInput, "What a layer names isn't there", $"{layer.Where}: {path}", "check the path");
            }
        }

        var software = spec.Kubernetes.Versions.Select(version => KubernetesOf(spec, version)).OfType<LayerSpec.Recipe>()
            .Concat(spec.Layers.OfType<ProviderLayer.Software>().Select(layer => layer.Recipe));
        List<CrustException> wrong = [.. software.Select(recipe => FailureOf(recipe, spec.Archs)).OfType<CrustException>().DistinctBy(failure => (failure.What, failure.Remedy))];
        if (wrong is [var first, ..])
        {
            // Sums of many versions may be missing: each is told with the command that gets them.
            throw new CrustException(first.Kind, first.What, first.Where, first.Remedy, first)
            {
                Detail = wrong.Count == 1 ? first.Detail : string.Join('\n', wrong.Skip(1).Select(other => $"{other.What}; to do: {other.Remedy}")),
            };
        }
    }

    private static CrustException? FailureOf(LayerSpec.Recipe recipe, IEnumerable<Arch> archs)
    {
        try
        {
            foreach (var arch in archs)
            {
                _ = RecipeLayer.Of(recipe, arch, RecipeUse.Provider).Material();
            }

            return null;
        }
        catch (CrustException e)
        {
            return e.At($"{recipe.Where}: {e.Where}");
        }
    }

    /// <summary>The recipe of a Kubernetes version; null where the images bring none.</summary>
    public static LayerSpec.Recipe? KubernetesOf(ProviderSpec spec, KubernetesVersion version) =>
        spec.Kubernetes.Recipe is { } name ? new LayerSpec.Recipe(name, version.Upstream, spec.Kubernetes.Variant, spec.Folder) { Where = version.Where } : null;

    private static FileTree Moved(FileTree tree, string into) => into.Length == 0 ? tree
        : FileTree.Empty.With(tree.Entries.Select(entry => entry with { Path = $"{into}/{entry.Path}" }));

    private static FileTree Edited(ProviderLayer.Edit edit, FileTree below) => below.Follow(edit.Target) is { Kind: EntryKind.File } file && file.Content.Length <= LargestText
        && Encoding.UTF8.GetString(file.Content.Read(0, LargestText)) is var text && edit.Change(text) is var changed && changed != text
        ? FileTree.Empty.With(file with { Content = TreeContent.Of(changed) }) : FileTree.Empty;

    // Without more words, Kairos' agent finds a provider's plug-in where it looks for them: images have it at their root, or where machines mount something else.
    internal static FileTree Taken(FileTree tree, ProviderLayer.Image layer)
    {
        if (layer.Take.IsEmpty)
        {
            return FileTree.Empty.With(tree.Entries.Select(entry => entry with
            {
                Path = layer.Into.Length > 0 ? $"{layer.Into}/{entry.Path}"
                    : entry.Kind is EntryKind.File && entry.Path.StartsWith(Agent, StringComparison.Ordinal) && !entry.Path.Contains('/') ? $"{Providers}/{entry.Path}"
                        : entry.Path.StartsWith(NewProviders, StringComparison.Ordinal) ? Providers + entry.Path[NewProviders.Length..]
                            : entry.Path,
            }));
        }

        return FileTree.Empty.With(layer.Take.SelectMany(path => Taken(tree, path, layer)));
    }

    private static IEnumerable<TreeEntry> Taken(FileTree tree, string path, ProviderLayer.Image layer)
    {
        if (tree.Follow(path) is not { } top)
        {
            if (layer.MayLack)
            {
                yield break;
            }

            throw new CrustException(FailureKind.BadInput, $"The image has no '/{path}'", layer.Where,
                Nearest.Suggest(path, [.. tree.Entries.Where(entry => !entry.Path.Contains('/') || entry.Name == path.Split('/')[^1]).Select(entry => entry.Path).Take(20)]));
        }

        var name = path.Split('/')[^1];
        var to = layer.Into.Length > 0 ? $"{layer.Into}/{name}" : name;
        yield return top with { Path = to };
        foreach (var entry in tree.Entries.Where(entry => top.Kind is EntryKind.Folder && entry.Path.StartsWith(top.Path + "/", StringComparison.Ordinal)))
        {
            yield return entry with { Path = to + entry.Path[top.Path.Length..] };
        }
    }
}
