using System.Collections.Immutable;
using Crust.Providers;
using Crust.Spec;

namespace Crust.Canvos;

/// <summary>An installer as CanvOS' target +iso would make it of a folder (Earthfile, iso-image and build-iso).</summary>
internal static class CanvosInstaller
{
    /// <summary>The system that it installs: the base, what the Dockerfile does to it, the agent over it, and the overlay's files.</summary>
    /// <exception cref="CrustException">Something that it needs isn't said, or can't be built.</exception>
    public static ProviderSpec SystemOf(CanvosFolder folder, Arch arch)
    {
        var framework = $"docker://{folder.ValueOf("SPECTRO_PUB_REPO")}/edge/stylus-framework-linux-{{arch}}:{folder.ValueOf("PE_VERSION")}";
        return new ProviderSpec
        {
            Path = folder.Args.Path,
            Folder = folder.Path,
            Base = CanvosProvider.BaseOf(folder),
            Archs = [arch],
            Kubernetes = KubernetesWish.None,
            PeVersion = folder.ValueOf("PE_VERSION"),
            Site = folder.Site,
            Steps = CanvosProvider.StepsOf(folder),
            Layers =
            [
                .. CanvosProvider.BootArgumentsOf(folder),
                new ProviderLayer.Image(framework, [], "") { Where = folder.WhereOf("PE_VERSION") },
                .. folder.Overlay is { } overlay ? new[] { new ProviderLayer.Files(overlay) { Where = overlay } } : [],
            ],
        };
    }

    /// <summary>The architecture: an installer has one.</summary>
    /// <param name="given">The one that was asked for; null for what ARCH says.</param>
    /// <exception cref="CrustException">ARCH says none that is known, or several.</exception>
    public static Arch ArchOf(CanvosFolder folder, Arch? given) => given ?? (CanvosProvider.ArchsOf(folder) is [var arch] ? arch
        : throw new CrustException(FailureKind.BadInput, "An installer is for one architecture, and ARCH says several", folder.WhereOf("ARCH"), "say which by --arch"));

    /// <summary>What the folder says of the medium and its boot menu, as keys of an installer's spec with where they stand.</summary>
    /// <param name="arch">The installer's architecture.</param>
    /// <exception cref="CrustException">Nothing says what the base is.</exception>
    public static ImmutableSortedDictionary<string, GivenValue> KeysOf(CanvosFolder folder, Arch arch)
    {
        (string Key, ImmutableArray<string> Values, string Where)[] keys =
        [
            ("name", [folder.ValueOf("ISO_NAME")], folder.WhereOf("ISO_NAME")),
            ("machine.arch", [arch.LowerName()], folder.WhereOf("ARCH")),
            ("base.oci", [LayerTrees.SourceFor(CanvosProvider.BaseOf(folder), arch)], folder.WhereOf("BASE_IMAGE")),
            ("seed.userData", One(folder.UserData), folder.Path),
            ("medium.title", [folder.ValueOf("BRANDING")], folder.WhereOf("BRANDING")),
            ("medium.edgeConfig", One(folder.EdgeConfig), folder.WhereOf("EDGE_CUSTOM_CONFIG")),
            ("medium.content", folder.Content, folder.Path),
            ("medium.clusterConfig", One(folder.ClusterConfig), folder.WhereOf("CLUSTERCONFIG")),
            ("medium.localUi", One(folder.LocalUi), folder.Path),
            ("medium.overlay", One(folder.MediumOverlay), folder.Path),
            ("medium.interactive", [folder.ValueOf("FORCE_INTERACTIVE_INSTALL")], folder.WhereOf("FORCE_INTERACTIVE_INSTALL")),
            ("medium.debug", [folder.ValueOf("DEBUG")], folder.WhereOf("DEBUG")),
        ];
        return keys.Where(key => !key.Values.IsEmpty).ToImmutableSortedDictionary(key => key.Key, key => new GivenValue
        {
            Items = [.. key.Values.Select(value => new GivenItem(value, key.Where))],
            Where = key.Where,
            BaseFolder = folder.Path,
        }, StringComparer.Ordinal);

        static ImmutableArray<string> One(string? path) => path is null ? [] : [path];
    }
}
