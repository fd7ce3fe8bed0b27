using System.Collections.Immutable;
using System.Text;
using static Crust.Canvos.Args.ArgFate;

namespace Crust.Canvos.Args;

/// <summary>All ARGs of CanvOS, in one place: the reader, its errors and the table in docs/canvos.md are made of this.</summary>
internal static class CanvosArgs
{
    private const string OwnTools = "Crust uses none of CanvOS' build tools";
    private const string NeedsBase = "build a base image with it once, by CanvOS' own target +base-image or with layers, and name it in BASE_IMAGE";
    private const string ByBase = "in the base image: give one that has it in BASE_IMAGE";
    private const string NoUki = "take out IS_UKI and build an ordinary installer, whose medium starts with Secure Boot, too; unified kernel images aren't supported yet (docs/canvos.md#uki)";
    private const string OnlyUki = "only for unified kernel images, which aren't supported yet";
    private const string OnlyGpu = "only with a GPU's driver, which isn't installed here";

    public static ImmutableArray<ArgGroup> Groups { get; } =
    [
        new("Images and versions",
        [
            new("IMAGE_REGISTRY", "", Taken, "`repository`, its part before the last slash"),
            new("IMAGE_REPO", "$OS_DISTRIBUTION", Taken, "`repository`, its last part"),
            new("CUSTOM_TAG", "", Taken, "`customTag`"),
            new("PE_VERSION", "v4.10.0-rc.2", Taken, "`peVersion`; also the agent's version, in the installer, too"),
            new("ARCH", "", Taken, "`archs`; several with commas between them; amd64 without it. An installer is for one: `--arch` says which of several"),
            new("OS_DISTRIBUTION", "", Taken, "`osName`; chooses the base image where BASE_IMAGE doesn't"),
            new("OS_VERSION", "", Taken, "`osVersion`; the same"),
            new("BASE_IMAGE", "", Taken, "`base`, also the installer's; has to be given for RHEL, SLES and FIPS"),
            new("K8S_DISTRIBUTION", "", Taken, "`kubernetes.distribution`"),
            new("K8S_VERSION", "", Taken, "`kubernetes.versions`; several with commas between them. Without it all of CanvOS' k8s_version.json, where the folder has one"),
            new("K3S_FLAVOR_TAG", "k3s1", Taken, "`kubernetes.flavor` of k3s"),
            new("RKE2_FLAVOR_TAG", "rke2r1", Taken, "`kubernetes.flavor` of rke2"),
            new("K3S_PROVIDER_VERSION", "v4.10.3", Taken, "the agent's image of k3s, a layer"),
            new("KUBEADM_PROVIDER_VERSION", "v4.10.1", Taken, "the same of kubeadm and kubeadm-fips"),
            new("RKE2_PROVIDER_VERSION", "v4.10.3", Taken, "the same of rke2"),
            new("NODEADM_PROVIDER_VERSION", "v4.9.3", Taken, "the same of nodeadm"),
            new("CANONICAL_PROVIDER_VERSION", "v4.10.1", Taken, "the same of canonical"),
            new("KAIROS_INIT_VERSION", "v0.17.1", Taken, "the tag of Kairos' base images, where BASE_IMAGE isn't given"),
            new("BUNDLE_K8S_AND_AGENT_PROVIDER", "false", Taken, "whether images get Kubernetes and the provider whatever the base's systemd is; without it, only where that is older than 255, as there they can't come by system extensions"),
        ]),
        new("Registries",
        [
            new("SPECTRO_PUB_REPO", "us-docker.pkg.dev/palette-images", Taken, "where the agents' images are; with FIPS_ENABLED us-docker.pkg.dev/palette-images-fips"),
            new("KAIROS_BASE_IMAGE_URL", "$SPECTRO_PUB_REPO/edge", Taken, "where Kairos' base images are"),
            new("SPECTRO_LUET_REPO", "$SPECTRO_PUB_REPO/edge", Moot, "Kubernetes' programs come by recipes, from upstream or a mirror (`crust.mirrors.yaml`); luet's login file isn't needed"),
            new("BASE_IMAGE_URL", "quay.io/kairos", Moot, "CanvOS itself doesn't use it any more for these bases"),
            new("SPECTRO_THIRD_PARTY_IMAGE", "", Moot, OwnTools),
            new("BUILDER_3RDPARTY_VERSION", "4.8", Moot, OwnTools),
            new("ALPINE_TAG", "3.20", Moot, OwnTools),
            new("ALPINE_IMG", "", Moot, OwnTools),
            new("GOLANG_VERSION", "1.23", Moot, OwnTools),
            new("KAIROS_VERSION", "v4.1.2", Moot, "the base image has its own"),
            new("KAIROS_INIT_IMAGE", "", Moot, OwnTools),
            new("OSBUILDER_VERSION", "v0.400.3", Moot, OwnTools),
            new("OSBUILDER_IMAGE", "", Moot, OwnTools),
            new("AURORABOOT_VERSION", "v0.26.2", Moot, OwnTools),
            new("AURORABOOT_IMAGE", "", Moot, OwnTools),
            new("ETCD_VERSION", "v3.5.13", Moot, "etcdctl isn't put in by itself; add a layer with a recipe of etcd"),
            new("HTTP_PROXY", "", Taken, "the proxy of the build where Crust's own environment names none, an ARG of the Dockerfile, and `site.httpProxy` of the system if it has no login"),
            new("HTTPS_PROXY", "", Taken, "the same, `site.httpsProxy`"),
            new("NO_PROXY", "", Taken, "the same, `site.noProxy`"),
            new("http_proxy", "", Taken, "the same"),
            new("https_proxy", "", Taken, "the same"),
            new("no_proxy", "", Taken, "the same"),
            new("PROXY_CERT_PATH", "", Taken, "`site.certificates`, beside those in certs/"),
        ]),
        new("The installer",
        [
            new("ISO_NAME", "installer", Taken, "`name`"),
            new("CLUSTERCONFIG", "", Taken, "`medium.clusterConfig`, the exported cluster definition"),
            new("EDGE_CUSTOM_CONFIG", ".edge-custom-config.yaml", Taken, "`medium.edgeConfig`, the edge configuration; also in provider images"),
            new("BRANDING", "Palette eXtended Kubernetes Edge", Taken, "`medium.title`, what the boot menu calls the installer"),
            new("FORCE_INTERACTIVE_INSTALL", "false", Taken, "`medium.interactive`: which entry of the boot menu starts by itself"),
            new("DEBUG", "false", Taken, "`medium.debug`: `rd.immucore.debug rd.debug` on the kernel's command line"),
            new("DISABLE_SELINUX", "true", Taken, "`selinux=0` in the base's `/etc/cos/bootargs.cfg`, where that has `selinux=1`"),
        ]),
        new("The operating system",
        [
            new("FIPS_ENABLED", "false", Taken, "needs BASE_IMAGE with FIPS packages: refused without it, never ignored"),
            new("UPDATE_KERNEL", "false", Fixed, "the base image's kernel stays", NeedsBase),
            new("CIS_HARDENING", "false", Fixed, ByBase, NeedsBase),
            new("UBUNTU_PRO_ATTACH", "false", Fixed, ByBase, NeedsBase),
            new("UBUNTU_PRO_KEY", "", Refused, "a secret of Ubuntu Pro, which nothing here attaches to", "take it out of the file, which no secret should be in; " + NeedsBase),
            new("DRBD_VERSION", "9.2.13", Taken, "an ARG of the Dockerfile"),
            new("TWO_NODE", "false", Fixed, "needs DRBD and kine built for the base's kernel", NeedsBase),
            new("KINE_VERSION", "0.15.0", Moot, "only with TWO_NODE"),
            new("IS_MAAS", "false", Fixed, "Crust makes no images for MAAS", "take it out, and build a disk image with crust build"),
            new("MAAS_IMAGE_NAME", "kairos-ubuntu-maas", Moot, "only with IS_MAAS"),
        ]),
        new("GPUs",
        [
            new("INSTALL_NVIDIA_GPU_DRIVERS", "false", Fixed, ByBase, NeedsBase),
            new("NVIDIA_DRIVER_BRANCH", "580", Moot, OnlyGpu),
            new("NVIDIA_DRIVER_TYPE", "open", Moot, OnlyGpu),
            new("NVIDIA_USE_CUDA_REPO", "true", Moot, OnlyGpu),
            new("NVIDIA_INSTALL_FABRICMANAGER", "true", Moot, OnlyGpu),
            new("NVIDIA_INSTALL_IMEX", "true", Moot, OnlyGpu),
            new("NVIDIA_REBUILD_INITRD", "true", Moot, OnlyGpu),
            new("NVIDIA_INSTALL_CONTAINER_TOOLKIT", "false", Fixed, ByBase, NeedsBase),
            new("INSTALL_AMD_GPU_DRIVERS", "false", Fixed, ByBase, NeedsBase),
            new("AMDGPU_DRIVER_SOURCE", "dkms", Moot, OnlyGpu),
            new("AMDGPU_DRIVER_RELEASE", "31.40", Moot, OnlyGpu),
            new("AMDGPU_ARTIFACT_PATH", "", Moot, OnlyGpu),
            new("AMDGPU_REBUILD_INITRD", "false", Moot, OnlyGpu),
            new("AMDGPU_INSTALL_SMI", "true", Moot, OnlyGpu),
        ]),
        new("Unified kernel images",
        [
            new("IS_UKI", "false", Fixed, "unified kernel images aren't supported yet", NoUki),
            new("INCLUDE_MS_SECUREBOOT_KEYS", "true", Moot, OnlyUki),
            new("AUTO_ENROLL_SECUREBOOT_KEYS", "false", Moot, OnlyUki),
            new("UKI_BRING_YOUR_OWN_KEYS", "false", Fixed, OnlyUki, NoUki),
            new("ENROLL_SPECTRO_EXTENSION_CERT", "true", Moot, OnlyUki),
            new("SPECTRO_EXTENSION_CERT_IMAGE", "", Moot, OnlyUki),
            new("CMDLINE", "stylus.registration", Fixed, OnlyUki, "set the kernel's arguments of the installed system in user-data: install.grub_options.extra_cmdline"),
            new("EFI_MAX_SIZE", "2048", Moot, OnlyUki),
            new("EFI_IMG_SIZE", "2200", Moot, OnlyUki),
            new("MY_ORG", "ACME Corp", Moot, OnlyUki),
            new("EXPIRATION_IN_DAYS", "5475", Moot, OnlyUki),
        ]),
        new("Clouds",
        [
            new("REGION", "", Moot, "for CanvOS' upload to AWS; Crust uploads nothing there"),
            new("S3_BUCKET", "", Moot, "the same"),
            new("S3_KEY", "", Moot, "the same"),
        ]),
    ];

    public static ImmutableArray<CanvosArg> All { get; } = [.. Groups.SelectMany(group => group.Args)];

    /// <summary>The ARG of exactly that name; null if CanvOS has none.</summary>
    public static CanvosArg? Find(string name) => All.FirstOrDefault(arg => arg.Name == name);

    /// <summary>The tables of docs/canvos.md.</summary>
    public static string ToMarkdown()
    {
        var text = new StringBuilder();
        foreach (var group in Groups)
        {
            text.Append($"\n### {group.Title}\n\n| ARG | CanvOS' default | | what it is to Crust |\n|---|---|---|---|\n");
            foreach (var arg in group.Args)
            {
                text.Append($"| `{arg.Name}` | {(arg.Default.Length > 0 ? $"`{arg.Default}`" : "")} | {FateOf(arg)} | {arg.Meaning}{(arg.Remedy.Length > 0 ? $". To do: {arg.Remedy}" : "")} |\n");
            }
        }

        return text.Append('\n').ToString();
    }

    private static string FateOf(CanvosArg arg) => arg.Fate switch
    {
        Taken => "taken",
        Moot => "no effect",
        Fixed => "another value is refused",
        _ => "refused",
    };
}
