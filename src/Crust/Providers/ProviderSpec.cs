using System.Collections.Immutable;
using Crust.Layers;
using Crust.Registries;
using Crust.Spec;

namespace Crust.Providers;

/// <summary>What provider images are made of, as `provider.yaml` or a CanvOS folder says: one image per Kubernetes version, each for all architectures.</summary>
internal sealed record ProviderSpec
{
    public const string DefaultName = "provider.yaml";

    /// <summary>The file that says so, for messages.</summary>
    public required string Path { get; init; }

    /// <summary>The image that all begin with: `docker://…`, or the path of a layout or an archive; `{arch}` stands for the architecture.</summary>
    public required string Base { get; init; }

    public required ImmutableArray<Arch> Archs { get; init; }

    public required KubernetesWish Kubernetes { get; init; }

    /// <summary>The version of the agent that the tag names.</summary>
    public required string PeVersion { get; init; }

    /// <summary>What stands at the tag's end; null for nothing.</summary>
    public string? CustomTag { get; init; }

    /// <summary>The operating system's name and version, which only the pack's values tell.</summary>
    public string? OsName { get; init; }

    public string? OsVersion { get; init; }

    /// <summary>What the sites' network asks of the system.</summary>
    public SiteSpec Site { get; init; } = new();

    /// <summary>What is done to the base in a machine, before anything is put over it.</summary>
    public ImmutableArray<RootStep> Steps { get; init; } = [];

    /// <summary>What that machine is like; its architecture is the image's.</summary>
    public MachineSpec Machine { get; init; } = new();

    /// <summary>What is put over the base, in this order; Kubernetes goes below all of it.</summary>
    public ImmutableArray<ProviderLayer> Layers { get; init; } = [];

    /// <summary>The repository, and how to log in to the registries that the base and the agent come from and the images go to.</summary>
    public PublishSpec Publish { get; init; } = new();

    /// <summary>The folder in which recipes, lock file and mirrors of the user's may be.</summary>
    public required string Folder { get; init; }
}

/// <summary>Which Kubernetes, in which versions.</summary>
/// <param name="Distribution">The distribution as tags name it.</param>
/// <param name="Recipe">The recipe that has its programs; null where the images bring none, as they come by system extensions.</param>
/// <param name="Variant">The recipe's variant; null for the default.</param>
/// <param name="Versions">The versions, without what the distribution puts behind them.</param>
internal sealed record KubernetesWish(string Distribution, string? Recipe, string? Variant, ImmutableArray<KubernetesVersion> Versions)
{
    /// <summary>No Kubernetes at all: what an installer's system has.</summary>
    public static KubernetesWish None { get; } = new("", null, null, []);

    /// <summary>Whether bases get neither Kubernetes nor what belongs to it if their systemd is new enough to get both by system extensions.</summary>
    public bool OnlyWithoutExtensions { get; init; }
}

/// <param name="Version">Kubernetes' own version, as tags name it: `1.33.5`.</param>
/// <param name="Upstream">The recipe's version: `1.33.5+k3s1`.</param>
/// <param name="Where">Where it stands.</param>
internal sealed record KubernetesVersion(string Version, string Upstream, string Where);

/// <summary>Something that is put over a provider image's base.</summary>
internal abstract record ProviderLayer
{
    private ProviderLayer()
    {
    }

    /// <summary>Where it stands: `provider.yaml:7:5, layers[0]`.</summary>
    public required string Where { get; init; }

    /// <summary>Whether it belongs to Kubernetes, and is left out of images without.</summary>
    public bool IsOfKubernetes { get; init; }

    /// <summary>What it is, for people.</summary>
    public abstract string Shown { get; }

    /// <summary>A folder or a tar archive whose entries go onto the root.</summary>
    /// <param name="Path">Its absolute path.</param>
    /// <param name="Into">The folder in the image that they go to, without slashes around; empty for the root.</param>
    public sealed record Files(string Path, string Into = "") : ProviderLayer
    {
        public override string Shown => $"files {System.IO.Path.GetFileName(Path)}{(Into.Length > 0 ? $" into /{Into}" : "")}";
    }

    /// <summary>One file.</summary>
    /// <param name="Source">Its absolute path.</param>
    /// <param name="Target">The path in the image, without a slash in front.</param>
    public sealed record OneFile(string Source, string Target) : ProviderLayer
    {
        public override string Shown => $"file /{Target}";
    }

    /// <summary>A text file.</summary>
    /// <param name="Target">The path in the image, without a slash in front.</param>
    public sealed record Note(string Target, string Content) : ProviderLayer
    {
        public override string Shown => $"text /{Target}";
    }

    /// <summary>A text file of the base, changed; nothing where the base doesn't have it.</summary>
    /// <param name="Target">The path in the image, without a slash in front.</param>
    public sealed record Edit(string Target, Func<string, string> Change) : ProviderLayer
    {
        public override string Shown => $"edit /{Target}";
    }

    /// <summary>Files of another image, such as a provider's agent.</summary>
    /// <param name="Source">`docker://…`, or the path of a layout or an archive; `{arch}` stands for the architecture.</param>
    /// <param name="Take">Which files and folders of it, by their paths without a slash in front; empty for all.</param>
    /// <param name="Into">The folder that they go to, without slashes around; empty for the root. A folder's own path is kept where all is taken.</param>
    public sealed record Image(string Source, ImmutableArray<string> Take, string Into) : ProviderLayer
    {
        /// <summary>Whether what isn't in the image is passed over.</summary>
        public bool MayLack { get; init; }

        public override string Shown => $"image {(RegistryReference.IsImage(Source) ? RegistryReference.NameOf(Source) : System.IO.Path.GetFileName(Source))}";
    }

    /// <summary>Upstream software, as a recipe says.</summary>
    public sealed record Software(LayerSpec.Recipe Recipe) : ProviderLayer
    {
        public override string Shown => $"recipe {Recipe.Shown}";
    }
}

/// <summary>Where an image of one Kubernetes version goes.</summary>
/// <param name="Index">The reference that machines are given: an index over architectures.</param>
internal sealed record ProviderTarget(KubernetesVersion Version, RegistryReference Index)
{
    /// <summary>What the image is called, by which a later build knows its own: the tag.</summary>
    public string Name => Index.Tag;

    public RegistryReference For(Arch arch) => Index.With(PublishTarget.TagOf(Index.Tag, arch));

    /// <summary>The references of all versions: `DIST-VERSION-PE_VERSION[-CUSTOM_TAG]`, as CanvOS has it.</summary>
    /// <exception cref="CrustException">Nothing says in which registry, no registry would take a tag, or two versions have the same.</exception>
    public static ImmutableArray<ProviderTarget> Of(ProviderSpec spec)
    {
        var given = spec.Publish.Repository ?? throw new CrustException(FailureKind.BadInput, "Nothing says in which registry the images are to be published", spec.Path,
            "write repository: registry/path, or give --repo (in a CanvOS folder IMAGE_REGISTRY and IMAGE_REPO)");
        var (repository, _) = RegistryReference.Parse(given, spec.Path, mayHaveTag: false);
        ImmutableArray<ProviderTarget> targets = [.. spec.Kubernetes.Versions.Select(version =>
            new ProviderTarget(version, new RegistryReference(repository, TagOf(spec, version))))];
        foreach (var target in targets)
        {
            // The longest of those that are pushed.
            RegistryReference.CheckTag(target.For(Arch.Amd64).Tag, target.Version.Where);
        }

        return targets.GroupBy(target => target.Index.Tag).FirstOrDefault(same => same.Count() > 1) is { } twice
            ? throw new CrustException(FailureKind.BadInput, $"Two versions have the tag {twice.Key}", twice.Last().Version.Where,
                "leave one of them out, or build them with two custom tags")
            : targets;
    }

    private static string TagOf(ProviderSpec spec, KubernetesVersion version) =>
        PublishTarget.AsTag(string.Join('-', new[] { spec.Kubernetes.Distribution, version.Version, spec.PeVersion, spec.CustomTag }.Where(part =>
            !string.IsNullOrEmpty(part))));
}
