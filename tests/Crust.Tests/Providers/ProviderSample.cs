using Crust.Layers;
using Crust.Providers;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Recipes;
using Crust.Tests.Registries;
using Crust.Tools;
using Crust.Trees;
using Serilog.Core;

namespace Crust.Tests.Providers;

/// <summary>A base and an agent for both architectures in a real registry, a recipe of Kubernetes in two versions, and a folder with a `provider.yaml`.</summary>
internal sealed class ProviderSample : IDisposable
{
    private const UnixFileMode Sticky = (UnixFileMode)0x3FF;

    public StandIn Upstream { get; } = new();

    public string Folder => Upstream.Folder;

    public EventList Events { get; } = new();

    public FakeSteps Steps { get; } = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    /// <summary>What builds, with a cache of its own.</summary>
    public ProviderBuilder Builder
    {
        get
        {
            var cache = Path.Combine(Folder, "cache");
            var images = new RegistryImages(SampleDisk.Tools, new BuildCache(cache, Logger.None), Stage.Base, Events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1) };
            return new ProviderBuilder(SampleDisk.Tools, images, Upstream.Trees, new SystemSteps(Steps, new BuildCache(cache, Logger.None)), cache, Events, TimeProvider.System)
            {
                FirstWait = TimeSpan.FromMilliseconds(1),
            };
        }
    }

    /// <summary>Serves a recipe `kubernetes` of one program, in two versions.</summary>
    public void ServeKubernetes()
    {
        File.WriteAllText(Path.Combine(Folder, "crust.mirrors.yaml"), $"mirrors:\n  https://example.org/: {Upstream.MirrorUrl.TrimEnd('/')}/example.org/\n");
        var versions = "";
        foreach (var version in new[] { "1.34.1", "1.33.5" })
        {
            versions += $"  '{version}':\n";
            foreach (var arch in new[] { "amd64", "arm64" })
            {
                var program = System.Text.Encoding.UTF8.GetBytes($"kubelet {version} {arch}");
                Upstream.Files[StandIn.PathOf(new Uri($"https://example.org/v{version}/kubelet-{arch}"))] = program;
                versions += $"    {arch}: {{ kubelet: {StandIn.Sum(program)} }}\n";
            }
        }

        File.WriteAllText(Path.Combine(Upstream.Recipes, "kubernetes.yaml"), $$"""
            name: kubernetes
            summary: A stand-in
            homepage: https://example.org
            license: MIT
            downloads:
              kubelet: { url: 'https://example.org/{tag}/kubelet-{arch}' }
            files:
              - { from: kubelet, to: /bin/kubelet, mode: '755', for: [layer, provider] }
            versions:
            {{versions}}
            """);
    }

    /// <summary>Pushes an image with a layer for each architecture.</summary>
    public async Task PushAsync(string host, string name, Func<Arch, FileTree> tree)
    {
        var layers = new List<(Arch, string[])>();
        foreach (var arch in Enum.GetValues<Arch>())
        {
            var path = Path.Combine(Folder, $"{name.Replace('/', '-').Replace(':', '-')}-{arch}.tar");
            await using (var file = File.Create(path))
            {
                await tree(arch).WriteTarAsync(file, 0, Cancellation);
            }

            layers.Add((arch, [path]));
        }

        var layout = OciSample.Write(Path.Combine(Folder, $"layout-{Guid.NewGuid():N}"), [.. layers]);
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "--insecure-policy", "copy", "--multi-arch", "all", "--dest-tls-verify=false", $"oci:{layout}", $"docker://{host}/{name}"), Cancellation);
    }

    /// <summary>A system with a merged /usr, a /tmp for all, host keys and an id.</summary>
    public static FileTree Base(Arch arch) => FileTree.Empty.With(
        TreeEntry.Folder("usr"), TreeEntry.Folder("usr/bin"), TreeEntry.Symlink("bin", "usr/bin"), TreeEntry.Folder("tmp", Sticky),
        TreeEntry.File("usr/bin/init", TreeContent.Of($"init {arch}")), TreeEntry.File("etc/kairos-release", TreeContent.Of($"KAIROS_ARCH=\"{arch.LowerName()}\"\n")),
        TreeEntry.File("etc/ssh/ssh_host_rsa_key", TreeContent.Of("secret")), TreeEntry.File("etc/ssh/sshd_config", TreeContent.Of("Port 22\n")), TreeEntry.File("etc/machine-id", TreeContent.Of("0123\n")));

    public static FileTree Agent(Arch arch) => FileTree.Empty.With(TreeEntry.File("agent-provider-kubeadm", TreeContent.Of($"agent {arch}"), TreeEntry.Executable), TreeEntry.File("usr/local/system/providers/agent-provider-old", TreeContent.Of("old")), TreeEntry.File("opt/kube/a", TreeContent.Of("a")));

    /// <summary>A spec of two versions for both architectures.</summary>
    public ProviderSpec Spec(string host, string more = "", string customTag = "demo")
    {
        Directory.CreateDirectory(Path.Combine(Folder, "overlay", "tmp"));
        Directory.CreateDirectory(Path.Combine(Folder, "overlay", "bin"));
        File.WriteAllText(Path.Combine(Folder, "overlay", "bin", "site-tool"), "site");
        File.WriteAllText(Path.Combine(Folder, "overlay", "tmp", "note"), "note");
        var path = Path.Combine(Folder, "provider.yaml");
        File.WriteAllText(path, $$"""
            version: 1
            base: docker://{{host}}/base/os:1
            archs: [amd64, arm64]
            kubernetes: { distribution: kubeadm, versions: ['1.33.5', '1.34.1'] }
            peVersion: v4.10.0
            customTag: {{customTag}}
            osName: ubuntu
            osVersion: 22.04
            layers:
              - files: overlay
              - image: docker://{{host}}/agents/kubeadm:v1
              - text: "bundled\n"
                to: /etc/note
            {{more}}
            """);
        var spec = ProviderReader.Read(path);
        return spec with { Publish = spec.Publish with { Repository = $"{host}/edge/ubuntu", Tls = false, Retries = 0 } };
    }

    public void Dispose() => Upstream.Dispose();
}
