using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Bases;
using Crust.Spec;
using Crust.Tests.Layers;
using Crust.Tests.Machine.Layers;
using Crust.Tests.Recipes;
using Crust.Tests.Registries;
using Crust.Trees;

namespace Crust.Tests.Machine.Providers;

/// <summary>`crust provider` of a CanvOS folder, as a user runs it: a registry with a login, a server in the place of upstream's, skopeo as the judge. The Dockerfile's lines run in a machine.</summary>
[CancelAfter(900_000)]
[Parallelizable(ParallelScope.Self)]
public sealed partial class ProviderImageTests
{
    // The lines of CanvOS' own Dockerfile, and what users add.
    private const string Dockerfile = """
        ARG BASE
        FROM $BASE

        ARG OS_DISTRIBUTION
        ARG BRAND=none

        RUN mkdir -p /certs
        COPY certs/ /certs/
        RUN if [ "${OS_DISTRIBUTION}" = "ubuntu" ]; then \
            cp -a /certs/. /usr/local/share/ca-certificates/ && \
            update-ca-certificates; \
            fi
        RUN rm -rf /certs
        COPY lookup.json /etc/site/lookup.json
        ENV WHO="the $BRAND"
        WORKDIR /srv
        RUN echo "$WHO in $PWD" >said && rm /etc/motd
        RUN echo "$https_proxy" >proxy
        RUN if [ -f /etc/cos/bootargs.cfg ] && ! grep -Fq "systemd.unified_cgroup_hierarchy=1" /etc/cos/bootargs.cfg; then \
                sed -i 's|\(set baseCmd="[^"]*\)"|\1 systemd.unified_cgroup_hierarchy=1"|' /etc/cos/bootargs.cfg; \
            fi
        """;

    private readonly CrustProcess _crust = new();
    private readonly StandIn _upstream = new();
    private LocalRegistry _registry = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Folder => _upstream.Folder;

    [OneTimeSetUp]
    public async Task SetUpAsync()
    {
        _crust.ShareDearThings();
        _registry = await LocalRegistry.StartAsync(wantsLogin: true, null, CancellationToken.None);
        var token = Convert.ToBase64String(Encoding.UTF8.GetBytes(LocalRegistry.Login));
        await File.WriteAllTextAsync(Path.Combine(Folder, "auth.json"), $"{{\"auths\":{{\"{_registry.Host}\":{{\"auth\":\"{token}\"}}}}}}");
        ServeKubernetes();
        var root = Path.Combine(Folder, "root");
        await RealLayers.AddProgramsAsync(root, CancellationToken.None, "/usr/bin/dash", "/usr/bin/mkdir", "/usr/bin/cp", "/usr/bin/rm", "/usr/bin/grep", "/usr/bin/sed", "/usr/bin/cat");
        var programs = FileTree.FromFolder(root);
        await PushAsync("base/os:1", arch => (arch is Arch.Amd64 ? programs : FileTree.Empty).With(
            TreeEntry.Symlink("bin", "usr/bin"), TreeEntry.Symlink("usr/bin/sh", "dash"), TreeEntry.Folder("srv"), TreeEntry.Folder("usr/local/share/ca-certificates"),
            TreeEntry.File("etc/motd", TreeContent.Of("hello\n")), TreeEntry.File("etc/kairos-release", TreeContent.Of($"KAIROS_ARCH=\"{arch.LowerName()}\"\n")),
            TreeEntry.File("etc/ssh/ssh_host_rsa_key", TreeContent.Of("secret")), TreeEntry.File("usr/lib/systemd/libsystemd-shared-252.so", TreeContent.Empty),
            TreeEntry.File("etc/cos/bootargs.cfg", TreeContent.Of("set baseCmd=\"root=LABEL=$label security=selinux selinux=1\"\n")),
            TreeEntry.File("usr/bin/update-ca-certificates", TreeContent.Of("#!/bin/sh\ncat /usr/local/share/ca-certificates/*.crt >/etc/bundle.crt\n"), TreeEntry.Executable)));
        await PushAsync("edge/kairos-io/provider-kubeadm:v4.10.1", arch => FileTree.Empty.With(TreeEntry.File("usr/local/system/providers/agent-provider-kubeadm", TreeContent.Of($"agent {arch}"), TreeEntry.Executable)));
        foreach (var arch in new[] { Arch.Amd64, Arch.Arm64 })
        {
            await PushAsync($"edge/stylus-framework-linux-{arch.LowerName()}:v4.6.1", _ => FileTree.Empty.With(
                TreeEntry.File("etc/kairos/branding/banner", TreeContent.Of("Edge\n")), TreeEntry.File("oem/stylus_config.yaml", TreeContent.Of("#cloud-config\n")), TreeEntry.File("etc/elemental/config.yaml", TreeContent.Of("x: 1\n"))));
        }
    }

    [OneTimeTearDown]
    public async Task TearDownAsync()
    {
        await _registry.DisposeAsync();
        _upstream.Dispose();
        _crust.Dispose();
    }

    [SetUp]
    public void WriteFolder()
    {
        File.Delete(Path.Combine(Folder, "Dockerfile"));
        if (Directory.Exists(Path.Combine(Folder, "certs")))
        {
            Directory.Delete(Path.Combine(Folder, "certs"), recursive: true);
        }

        Write("lookup.json", "{}\n");
        Write("overlay/files/etc/site/note", "site\n");
        Write("user-data", "#cloud-config\n");
    }

    [Test]
    public async Task Two_versions_for_two_architectures_are_what_the_printed_block_leads_to()
    {
        WriteArg("ARCH=amd64,arm64\n");

        using var result = await PublishAsync("two");

        foreach (var image in result.RootElement.GetProperty("images").EnumerateArray())
        {
            var version = image.GetProperty("kubernetes").GetString()!;
            var expanded = Expanded(result.RootElement.GetProperty("options"), version);
            Assert.That(expanded, Is.EqualTo(image.GetProperty("reference").GetString()));
            using var index = JsonDocument.Parse(await SkopeoAsync("inspect", "--raw", "--tls-verify=false", "--creds", LocalRegistry.Login, $"docker://{expanded}"));
            Assert.That(index.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("platform").GetProperty("architecture").GetString()), Is.EqualTo(new[] { "amd64", "arm64" }));
            foreach (var arch in new[] { Arch.Amd64, Arch.Arm64 })
            {
                var tree = await PullAsync(expanded, arch);
                Assert.That(Text(tree, "usr/bin/kubelet"), Is.EqualTo($"kubelet {version} {arch.LowerName()}"));
                Assert.That(Text(tree, "system/providers/agent-provider-kubeadm"), Is.EqualTo($"agent {arch}"));
                Assert.That((Text(tree, "etc/kairos/branding/banner"), Text(tree, "etc/kairos/branding/stylus_config.yaml"), Text(tree, "etc/site/note")), Is.EqualTo(("Edge\n", "#cloud-config\n", "site\n")));
                Assert.That(tree.Find("etc/spectro-sysext/k8s-and-agent-provider-bundled"), Is.Not.Null);
                Assert.That(Text(tree, "etc/cos/bootargs.cfg"), Does.Contain("$label selinux=0\""));
            }
        }

        var again = await RunAsync("two");
        await TestContext.Out.WriteLineAsync(again.Output);
        Assert.That(again.Output, Does.StartWith(string.Concat(result.RootElement.GetProperty("images").EnumerateArray().Select(image =>
            $"{image.GetProperty("reference").GetString()}@{image.GetProperty("digest").GetString()} (was there already)\n")) + "\npack:\n"), again.Error);
        Assert.That(again.Output, Does.EndWith(result.RootElement.GetProperty("packValues").GetString()!));
        using var elsewhere = await PublishAsync("elsewhere");
        Assert.That(Digests(elsewhere), Is.EqualTo(Digests(result)), "built twice: identical");
    }

    [Test]
    public async Task The_lines_of_a_Dockerfile_run_in_a_machine_and_their_layer_is_shared()
    {
        WriteArg("ARCH=amd64\nCUSTOM_ARG_BRAND=acme\n");
        Write("Dockerfile", Dockerfile);
        var certificate = SiteCertificate.New();
        Write("certs/site.crt", certificate);

        using var result = await PublishAsync("docker");

        var images = result.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("archs")[0]).ToList();
        Assert.That(images.Select(image => image.GetProperty("layers")[0].GetProperty("digest").GetString()).Distinct().Count(), Is.EqualTo(1));
        var tree = await PullAsync(result.RootElement.GetProperty("images")[0].GetProperty("reference").GetString()!, Arch.Amd64);
        Assert.That(Text(tree, "etc/bundle.crt"), Is.EqualTo(certificate), "update-ca-certificates has run");
        Assert.That(tree.Find("usr/local/share/ca-certificates/site.crt"), Is.Not.Null);
        Assert.That(Text(tree, "etc/environment"), Is.EqualTo("HTTPS_PROXY=http://proxy.example.org:3128\nhttps_proxy=http://proxy.example.org:3128\n"));
        Assert.That(Text(tree, "srv/proxy"), Is.EqualTo("http://proxy.example.org:3128\n"), "a line runs with the proxy");
        Assert.That((Text(tree, "srv/said"), Text(tree, "etc/site/lookup.json")), Is.EqualTo(("the acme in /srv\n", "{}\n")));
        Assert.That(Text(tree, "etc/cos/bootargs.cfg"), Is.EqualTo("set baseCmd=\"root=LABEL=$label selinux=0 systemd.unified_cgroup_hierarchy=1\"\n"));
        Assert.That(new[] { "certs", "etc/motd", ".crust-steps", "etc/ssh/ssh_host_rsa_key", "etc/resolv.conf" }.Where(path => tree.Find(path) is not null), Is.Empty);
        Assert.That(tree.Find("bin")!.LinkTarget, Is.EqualTo("usr/bin"));

        using var again = await PublishAsync("docker-again");
        Assert.That(Digests(again), Is.EqualTo(Digests(result)));
    }

    [Test]
    public async Task A_line_that_fails_is_named_with_what_it_printed_and_nothing_is_left()
    {
        WriteArg("ARCH=amd64\n");
        Write("Dockerfile", "FROM $BASE\nRUN echo first\nCOPY lookup.json /etc/lookup.json\nRUN cat /etc/lookup.json && echo in vain >&2 && false\nRUN echo third\n");

        var run = await RunAsync("fails");

        await TestContext.Out.WriteLineAsync(run.Error);
        Assert.That((run.ExitCode, run.Output), Is.EqualTo((4, "")), run.Error);
        Assert.That(run.Error, Does.Contain("Dockerfile:4, RUN").And.Contain("in vain").And.Contain("exit code 1").And.Not.Contain("third"));
        Assert.That(Directory.Exists(Path.Combine(_registry.Folder, "registry/docker/registry/v2/repositories/fails")), Is.False);
        Assert.That(Directory.EnumerateDirectories(_crust.Cache, "scratch-*"), Is.Empty);
    }

    [Test]
    public async Task Without_its_login_the_registry_is_named_and_nothing_is_built()
    {
        WriteArg("ARCH=amd64\n");

        var run = await _crust.RunAsync(Cancellation, "provider", "--arg-file", Path.Combine(Folder, ".arg"), "--tls", "false", "--repo", $"{_registry.Host}/none/ubuntu");

        Assert.That((run.ExitCode, run.Output), Is.EqualTo((5, "")), run.Error);
        Assert.That(run.Error, Does.Contain($"skopeo login {_registry.Host}"));
    }

    private static IEnumerable<string> Digests(JsonDocument result) => [.. result.RootElement.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("digest").GetString()!)];

    // As Palette replaces the macros of a pack.
    private static string Expanded(JsonElement options, string version)
    {
        var text = options.GetProperty("system.uri").GetString()!.Replace("{{ .spectro.system.kubernetes.version }}", version);
        return MacroPattern().Replace(text, match => options.GetProperty($"system.{match.Groups[1].Value}").GetString()!);
    }

    private async Task<JsonDocument> PublishAsync(string repository)
    {
        var run = await RunAsync(repository, "--json");
        await TestContext.Out.WriteLineAsync(run.Error);
        Assert.That(run.ExitCode, Is.Zero, run.Error);
        return JsonDocument.Parse(run.Output);
    }

    private Task<CrustResult> RunAsync(string repository, params string[] more) => _crust.RunAsync(Cancellation,
        ["provider", "--arg-file", Path.Combine(Folder, ".arg"), "--tls", "false", "--auth-file", Path.Combine(Folder, "auth.json"), "--repo", $"{_registry.Host}/{repository}/ubuntu", "--memory", "512M", "--network", "none", .. more]);

    private void WriteArg(string more) => Write(".arg", $"""
        CUSTOM_TAG=demo
        IMAGE_REGISTRY={_registry.Host}
        OS_DISTRIBUTION=ubuntu
        IMAGE_REPO=$OS_DISTRIBUTION
        OS_VERSION=22.04
        K8S_DISTRIBUTION=kubeadm
        K8S_VERSION=1.33.5,1.34.1
        PE_VERSION=v4.6.1
        BASE_IMAGE={_registry.Host}/base/os:1
        SPECTRO_PUB_REPO={_registry.Host}
        CLUSTERCONFIG=spc.tgz
        HTTPS_PROXY=http://proxy.example.org:3128
        NO_PROXY=
        UPDATE_KERNEL=false
        {more}
        """);

    private void Write(string name, string text)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    private void ServeKubernetes()
    {
        Write("crust.mirrors.yaml", $"mirrors:\n  https://example.org/: {_upstream.MirrorUrl.TrimEnd('/')}/example.org/\n");
        var versions = new StringBuilder();
        foreach (var version in new[] { "1.34.1", "1.33.5" })
        {
            versions.Append($"  '{version}':\n");
            foreach (var arch in new[] { "amd64", "arm64" })
            {
                var program = Encoding.UTF8.GetBytes($"kubelet {version} {arch}");
                _upstream.Files[StandIn.PathOf(new Uri($"https://example.org/v{version}/kubelet-{arch}"))] = program;
                versions.Append($"    {arch}: {{ kubelet: {StandIn.Sum(program)} }}\n");
            }
        }

        Write("recipes/kubernetes.yaml", $$"""
            name: kubernetes
            summary: A stand-in
            homepage: https://example.org
            license: MIT
            downloads:
              kubelet: { url: 'https://example.org/{tag}/kubelet-{arch}' }
            files:
              - { from: kubelet, to: /usr/local/bin/kubelet, mode: '755' }
            versions:
            {{versions}}
            """);
    }

    private Task PushAsync(string name, Func<Arch, FileTree> tree) => PushedImage.PushAsync(_registry, name, tree);

    private async Task<FileTree> PullAsync(string image, Arch arch)
    {
        var archive = Path.Combine(Folder, $"pulled-{Guid.NewGuid():N}.tar");
        await SkopeoAsync("--override-arch", arch.LowerName(), "copy", "--src-tls-verify=false", "--src-creds", LocalRegistry.Login, $"docker://{image}", $"oci-archive:{archive}");
        var scratch = Directory.CreateDirectory(archive + ".d").FullName;
        return await new OciImageReader(Host.Tools).ReadAsync(OciImageReader.Open(archive), archive, arch, scratch, 1 << 30, Cancellation);
    }

    private static Task<string> SkopeoAsync(params string[] arguments) => Host.RunAsync("skopeo", ["--insecure-policy", .. arguments], Cancellation);

    private static string Text(FileTree tree, string path) => Encoding.UTF8.GetString((tree.Find(path) ?? throw new AssertionException($"There is no /{path}.")).Content.Read(0, 10_000));

    [GeneratedRegex(@"\{\{ \.spectro\.pack\.edge-native-byoi\.options\.system\.(\w+) \}\}")]
    private static partial Regex MacroPattern();
}
