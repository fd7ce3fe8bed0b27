using System.Collections.Immutable;
using Crust.Canvos;
using Crust.Layers;
using Crust.Providers;
using Crust.Spec;

namespace Crust.Tests.Canvos;

/// <summary>A folder laid out as CanvOS', read as it is.</summary>
public sealed class CanvosFolderTests
{
    private const string Arg = """
        CUSTOM_TAG=demo
        IMAGE_REGISTRY=registry.example.com/edge
        OS_DISTRIBUTION=ubuntu
        IMAGE_REPO=$OS_DISTRIBUTION
        OS_VERSION=22
        K8S_DISTRIBUTION=k3s
        K8S_VERSION=1.36.4,1.35.1
        ISO_NAME=palette-edge-installer
        ARCH=amd64,arm64
        PE_VERSION=v4.6.1
        UPDATE_KERNEL=false

        """;

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-canvos-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void What_the_folder_has_is_found_by_its_usual_names()
    {
        foreach (var name in new[] { "user-data", "overlay/files/etc/x", "overlay/files-iso/y", "content-a/one.zst", "content-a/two.zst", "content-b/notes.txt", ".edge-custom-config.yaml", "certs/ca.crt", "local-ui.tar", "spc.tgz" })
        {
            Write(name, "x");
        }

        var folder = Read(Arg + "CLUSTERCONFIG=spc.tgz\n");

        Assert.That(new[] { folder.UserData, folder.Overlay, folder.MediumOverlay, folder.EdgeConfig, folder.LocalUi, folder.ClusterConfig },
            Is.EqualTo(new[] { At("user-data"), At("overlay/files"), At("overlay/files-iso"), At(".edge-custom-config.yaml"), At("local-ui.tar"), At("spc.tgz") }));
        Assert.That(folder.Content, Is.EqualTo(new[] { At("content-a/one.zst"), At("content-a/two.zst") }));
        Assert.That(folder.Certificates, Is.EqualTo(new[] { At("certs/ca.crt") }));
        Assert.That(folder.Findings.Select(finding => finding.Where), Is.EqualTo(new[] { At("content-b/notes.txt") }));
    }

    [Test]
    public void Provider_images_are_those_that_CanvOS_would_make()
    {
        Write("overlay/files/etc/x", "x");
        Write("cloudconfigs/80_stylus.yaml", "x");

        var spec = CanvosProvider.Of(Read(Arg));

        Assert.That(spec.Base, Is.EqualTo("docker://us-docker.pkg.dev/palette-images/edge/kairos-ubuntu:22.04-core-{arch}-generic-v0.17.1"));
        Assert.That(spec.Archs, Is.EqualTo(new[] { Arch.Amd64, Arch.Arm64 }));
        Assert.That(spec.Kubernetes.Versions.Select(version => version.Upstream), Is.EqualTo(new[] { "1.36.4+k3s1", "1.35.1+k3s1" }));
        Assert.That(ProviderTarget.Of(spec).Select(target => target.Index.ToString()), Is.EqualTo(new[]
        {
            "registry.example.com/edge/ubuntu:k3s-1.36.4-v4.6.1-demo", "registry.example.com/edge/ubuntu:k3s-1.35.1-v4.6.1-demo",
        }));
        Assert.That(spec.Layers.OfType<ProviderLayer.Image>().Select(layer => layer.Source).Distinct(), Is.EqualTo(new[]
        {
            "docker://us-docker.pkg.dev/palette-images/edge/kairos-io/provider-k3s:v4.10.3", "docker://us-docker.pkg.dev/palette-images/edge/stylus-framework-linux-{arch}:v4.6.1",
        }));
        Assert.That(spec.Layers.Select(layer => layer.Shown), Does.Contain("file /system/oem/80_stylus.yaml").And.Contains("files etc into /etc"));
    }

    [Test]
    public void Without_a_version_all_of_the_folders_list_are_built()
    {
        Write("k8s_version.json", """{ "k3s": ["1.36.4", "1.36.3"], "rke2": ["1.36.1"] }""");

        Assert.That(CanvosProvider.Of(Read(Arg.Replace("K8S_VERSION=1.36.4,1.35.1\n", ""))).Kubernetes.Versions.Select(version => version.Version), Is.EqualTo(new[] { "1.36.4", "1.36.3" }));
    }

    [TestCase("K8S_DISTRIBUTION=k3s", "K8S_DISTRIBUTION=canonical", "Crust has no recipe of canonical")]
    [TestCase("K8S_DISTRIBUTION=k3s", "K8S_DISTRIBUTION=k4s", "'k4s' is no distribution of Kubernetes that CanvOS has")]
    [TestCase("IMAGE_REGISTRY=registry.example.com/edge", "", "IMAGE_REGISTRY isn't said, and provider images need it")]
    [TestCase("OS_VERSION=22", "", "BASE_IMAGE isn't said, and provider images need it")]
    [TestCase("ARCH=amd64,arm64", "ARCH=riscv64", "'riscv64' is no architecture")]
    [TestCase("K8S_VERSION=1.36.4,1.35.1", "", "K8S_VERSION isn't said, and provider images need it")]
    public void What_is_missing_is_said(string what, string instead, string says) =>
        Assert.That(() => CanvosProvider.Of(Read(Arg.Replace(what, instead))), Throws.TypeOf<CrustException>().With.Property("What").EqualTo(says));

    [Test]
    public void The_Dockerfiles_lines_are_done_to_the_base_with_the_values_that_CanvOS_hands_on()
    {
        Write("certs/ca.crt", "x");
        Write("Dockerfile", """
            ARG BASE
            FROM $BASE
            ARG OS_DISTRIBUTION
            ARG HTTP_PROXY
            ARG DRBD_VERSION
            ARG BRAND
            ARG STORAGE_PROVIDER
            RUN mkdir -p /certs
            COPY certs/ /certs/
            """);

        var spec = CanvosProvider.Of(Read(Arg + "HTTP_PROXY=http://proxy.example.com:3128\nCUSTOM_ARG_BRAND=acme\nSTORAGE_PROVIDER=piraeus\n"));

        Assert.That(spec.Steps.Select(step => (step.Where, step.Shown)), Is.EqualTo(new[] { ($"{At("Dockerfile")}:8, RUN", "RUN mkdir -p /certs"), ($"{At("Dockerfile")}:9, COPY", "COPY to /certs/") }));
        Assert.That(((RootStep.Command)spec.Steps[0]).Environment, Is.EqualTo(new Dictionary<string, string>
        {
            ["BRAND"] = "acme",
            ["DRBD_VERSION"] = "9.2.13",
            ["HTTP_PROXY"] = "http://proxy.example.com:3128",
            ["OS_DISTRIBUTION"] = "ubuntu",
            ["STORAGE_PROVIDER"] = "piraeus",
        }));
    }

    [Test]
    public void Proxies_are_those_of_the_file_where_the_environment_names_none()
    {
        var proxies = Read(Arg + "HTTP_PROXY=http://p:1\nHTTPS_PROXY=\nNO_PROXY=example.com\n").Proxies;

        Assert.That(proxies, Is.EqualTo(new Dictionary<string, string> { ["HTTP_PROXY"] = "http://p:1", ["NO_PROXY"] = "example.com" }));
        var environment = HostEnvironment.From(ImmutableDictionary<string, string>.Empty.Add("http_proxy", "http://mine:1").Add("no_proxy", "")).WithDefaults(proxies);
        Assert.That(environment.Variables, Is.EquivalentTo(new Dictionary<string, string> { ["http_proxy"] = "http://mine:1", ["no_proxy"] = "", ["NO_PROXY"] = "example.com" }));
    }

    [Test]
    public void Kubernetes_comes_with_the_images_if_it_has_to_or_is_wanted()
    {
        Assert.That(CanvosProvider.Of(Read(Arg)).Kubernetes.OnlyWithoutExtensions, Is.True);
        var spec = CanvosProvider.Of(Read(Arg + "BUNDLE_K8S_AND_AGENT_PROVIDER=true\n"));
        Assert.That(spec.Kubernetes.OnlyWithoutExtensions, Is.False);
        Assert.That(spec.Layers.Where(layer => layer.IsOfKubernetes).Select(layer => layer.Shown), Is.EqualTo(new[] { "image provider-k3s", "text /etc/spectro-sysext/k8s-and-agent-provider-bundled" }));
    }

    [TestCase("", "set baseCmd=\"root=LABEL=X selinux=0 quiet\"")]
    [TestCase("DISABLE_SELINUX=false\n", null)]
    public void SELinux_is_turned_off_on_the_kernels_command_line_as_CanvOS_does(string more, string? changed)
    {
        var edit = CanvosProvider.Of(Read(Arg + more)).Layers.OfType<ProviderLayer.Edit>().SingleOrDefault();

        Assert.That(edit?.Target, Is.EqualTo(changed is null ? null : "etc/cos/bootargs.cfg"));
        Assert.That(edit?.Change("set baseCmd=\"root=LABEL=X security=selinux selinux=1 quiet\""), Is.EqualTo(changed));
    }

    [Test]
    public void A_file_that_an_ARG_names_has_to_be_there() =>
        Assert.That(() => Read(Arg + "EDGE_CUSTOM_CONFIG=none.yaml\n"), Throws.TypeOf<CrustException>().With.Property("What").EqualTo("EDGE_CUSTOM_CONFIG names a file that isn't there: none.yaml"));

    [Test]
    public void A_cluster_definition_that_CanvOS_template_names_may_be_missing_and_that_is_told()
    {
        var folder = Read(Arg + "CLUSTERCONFIG=spc.tgz\n");

        Assert.That(folder.ClusterConfig, Is.Null);
        Assert.That(folder.Findings.Select(finding => finding.What), Has.Some.StartsWith("CLUSTERCONFIG names a file that isn't there"));
    }

    private CanvosFolder Read(string arg)
    {
        Write(".arg", arg);
        return CanvosFolder.Read(At(".arg"));
    }

    private string At(string name) => Path.Combine(_folder, name);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
    }
}
