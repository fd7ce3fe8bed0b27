using System.Collections.Immutable;
using System.Text.Json;
using Crust.Layers;
using Crust.Providers;
using Crust.Spec;

namespace Crust.Canvos;

/// <summary>Provider images as CanvOS' target +build-provider-images would make them of a folder (Earthfile, provider-image).</summary>
internal static class CanvosProvider
{
    private const string VersionsName = "k8s_version.json";
    private const string Sentinel = "etc/spectro-sysext/k8s-and-agent-provider-bundled";
    private const string Branding = "etc/kairos/branding";
    private const string BootArguments = "etc/cos/bootargs.cfg";

    /// <exception cref="CrustException">Something that provider images need isn't said, or can't be built.</exception>
    public static ProviderSpec Of(CanvosFolder folder)
    {
        var name = folder.GivenOf("K8S_DISTRIBUTION") ?? throw Missing(folder, "K8S_DISTRIBUTION", "write K8S_DISTRIBUTION=k3s, rke2 or kubeadm");
        var distribution = Distribution.Find(name)
            ?? throw new CrustException(FailureKind.BadInput, $"'{name}' is no distribution of Kubernetes that CanvOS has", folder.WhereOf("K8S_DISTRIBUTION"),
                Nearest.Suggest(name, [.. Distribution.All.Select(known => known.Name)]));
        var registry = folder.GivenOf("IMAGE_REGISTRY") ?? throw Missing(folder, "IMAGE_REGISTRY", "write IMAGE_REGISTRY=registry.example.com");
        var repo = folder.ValueOf("IMAGE_REPO") is { Length: > 0 } given ? given : throw Missing(folder, "IMAGE_REPO",
            "write IMAGE_REPO, or OS_DISTRIBUTION, which it is taken from");
        return new ProviderSpec
        {
            Path = folder.Args.Path,
            Folder = folder.Path,
            Base = BaseOf(folder),
            Archs = ArchsOf(folder),
            Kubernetes = new KubernetesWish(name, RecipeOf(folder, distribution), null, VersionsOf(folder, distribution))
            {
                OnlyWithoutExtensions = !folder.IsSet("BUNDLE_K8S_AND_AGENT_PROVIDER"),
            },
            PeVersion = folder.ValueOf("PE_VERSION"),
            CustomTag = folder.GivenOf("CUSTOM_TAG"),
            OsName = folder.GivenOf("OS_DISTRIBUTION"),
            OsVersion = folder.GivenOf("OS_VERSION"),
            Site = folder.Site,
            Steps = StepsOf(folder),
            Layers = [.. LayersOf(folder, distribution)],
            Publish = new PublishSpec { Repository = RegistryReference.ParseRepository($"{registry.TrimEnd('/')}/{repo}", folder.WhereOf("IMAGE_REGISTRY")) },
        };
    }

    /// <summary>The base image: BASE_IMAGE, else Kairos' of the distribution (Earthfile, lines 185-205); `{arch}` stands for the architecture.</summary>
    /// <exception cref="CrustException">Neither is known.</exception>
    public static string BaseOf(CanvosFolder folder)
    {
        if (folder.GivenOf("BASE_IMAGE") is { } given)
        {
            return $"docker://{given}";
        }

        var (os, version) = (folder.GivenOf("OS_DISTRIBUTION"), folder.GivenOf("OS_VERSION"));
        var at = folder.ValueOf("KAIROS_BASE_IMAGE_URL");
        var init = folder.ValueOf("KAIROS_INIT_VERSION");
        return (os, version) switch
        {
            ("ubuntu", { } number) => $"docker://{at}/kairos-ubuntu:{(number is "20" or "22" ? number + ".04" : number)}-core-{{arch}}-generic-{init}",
            ("opensuse-leap", { } number) => $"docker://{at}/kairos-opensuse:leap-{number}-core-{{arch}}-generic-{init}",
            _ => throw Missing(folder, "BASE_IMAGE", "write BASE_IMAGE, or OS_DISTRIBUTION (ubuntu or opensuse-leap) with OS_VERSION"),
        };
    }

    /// <summary>What the folder's Dockerfile does to the base.</summary>
    /// <exception cref="CrustException">A folder that it copies can't be read.</exception>
    public static ImmutableArray<RootStep> StepsOf(CanvosFolder folder) => [.. (folder.Dockerfile?.Steps ?? []).Select(step => step.ToRootStep())];

    /// <summary>What CanvOS' target +base-image changes of the kernel's arguments.</summary>
    public static IEnumerable<ProviderLayer> BootArgumentsOf(CanvosFolder folder) =>
        folder.IsSet("DISABLE_SELINUX") ? [new ProviderLayer.Edit(BootArguments, WithoutSelinux) { Where = folder.WhereOf("DISABLE_SELINUX") }] : [];

    /// <exception cref="CrustException">It isn't one of those that there are.</exception>
    public static ImmutableArray<Arch> ArchsOf(CanvosFolder folder) => folder.GivenOf("ARCH") is not { } given ? [Arch.Amd64]
        : [.. given.Split(',', StringSplitOptions.TrimEntries).Select(name => Enum.GetValues<Arch>().Cast<Arch?>().FirstOrDefault(arch => arch!.Value.LowerName() == name)
            ?? throw new CrustException(FailureKind.BadInput, $"'{name}' is no architecture", folder.WhereOf("ARCH"),
                "write amd64 or arm64, or both with a comma between them")).Distinct()];

    private static ImmutableArray<KubernetesVersion> VersionsOf(CanvosFolder folder, Distribution distribution)
    {
        var flavor = distribution.Name switch { "k3s" => folder.ValueOf("K3S_FLAVOR_TAG"), "rke2" => folder.ValueOf("RKE2_FLAVOR_TAG"), _ => null };
        if (folder.GivenOf("K8S_VERSION") is { } given)
        {
            return [.. given.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(version =>
                distribution.VersionOf(version, flavor, folder.WhereOf("K8S_VERSION")))];
        }

        var list = System.IO.Path.Combine(folder.Path, VersionsName);
        if (!File.Exists(list))
        {
            throw Missing(folder, "K8S_VERSION",
                $"write K8S_VERSION, several versions with commas between them; or put CanvOS' {VersionsName} beside it, which lists all");
        }

        try
        {
            using var json = JsonDocument.Parse(UserFile.Read(list, list, "versions"));
            return [.. json.RootElement.GetProperty(distribution.Name).EnumerateArray().Select(version =>
                distribution.VersionOf(version.GetString() ?? "", flavor, list))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput, $"This isn't CanvOS' list of Kubernetes versions, or has none of {distribution.Name}", list,
                "take the file of your release of CanvOS, or write K8S_VERSION", e);
        }
    }

    // A distribution that Crust has no recipe of may have one of the user's.
    private static string? RecipeOf(CanvosFolder folder, Distribution distribution) => distribution.Recipe
        ?? (File.Exists(System.IO.Path.Combine(folder.Path, "recipes", distribution.Name + ".yaml")) ? distribution.Name
            : throw new CrustException(FailureKind.BadInput, $"Crust has no recipe of {distribution.Name}", folder.WhereOf("K8S_DISTRIBUTION"),
                $"write one: recipes/{distribution.Name}.yaml in the folder (docs/recipes.md)"));

    private static IEnumerable<ProviderLayer> LayersOf(CanvosFolder folder, Distribution distribution)
    {
        // Of the overlay, provider images have etc alone.
        if (folder.Overlay is { } overlay && System.IO.Path.Combine(overlay, "etc") is var etc && Directory.Exists(etc))
        {
            yield return new ProviderLayer.Files(etc, "etc") { Where = etc };
        }

        var edge = $"docker://{folder.ValueOf("SPECTRO_PUB_REPO")}/edge";
        var argument = distribution.Name is "kubeadm-fips" ? "KUBEADM_PROVIDER_VERSION" : $"{distribution.Name.ToUpperInvariant()}_PROVIDER_VERSION";
        var provider = $"{edge}/kairos-io/provider-{(distribution.Name is "kubeadm-fips" ? "kubeadm" : distribution.Name)}:{folder.ValueOf(argument)}";
        yield return Image(provider, [], "", argument) with { IsOfKubernetes = true };

        var framework = $"{edge}/stylus-framework-linux-{{arch}}:{folder.ValueOf("PE_VERSION")}";
        yield return Image(framework, [Branding], "etc/kairos", "PE_VERSION");
        yield return Image(framework, ["etc/kairos/80_stylus.yaml"], "etc/kairos", "PE_VERSION") with { MayLack = true };
        yield return Image(framework, ["oem/stylus_config.yaml"], Branding, "PE_VERSION");
        yield return Image(framework, ["etc/elemental/config.yaml"], "etc/elemental", "PE_VERSION");
        if (folder.StylusConfig is { } stylus)
        {
            yield return new ProviderLayer.OneFile(stylus, "system/oem/80_stylus.yaml") { Where = stylus };
        }

        if (folder.EdgeConfig is { } config)
        {
            yield return new ProviderLayer.OneFile(config, "oem/.edge_custom_config.yaml") { Where = config };
        }

        yield return new ProviderLayer.Note(Sentinel, "") { Where = folder.WhereOf("BUNDLE_K8S_AND_AGENT_PROVIDER"), IsOfKubernetes = true };
        foreach (var layer in BootArgumentsOf(folder))
        {
            yield return layer;
        }

        ProviderLayer.Image Image(string source, ImmutableArray<string> take, string into, string from) => new(source, take, into) { Where = folder.WhereOf(from) };
    }

    // As +base-image changes them.
    private static string WithoutSelinux(string text) => text.Replace("security=selinux ", "", StringComparison.Ordinal).Replace("selinux=1", "selinux=0", StringComparison.Ordinal);

    private static CrustException Missing(CanvosFolder folder, string name, string remedy) =>
        new(FailureKind.BadInput, $"{name} isn't said, and provider images need it", folder.Args.Path, remedy);
}
