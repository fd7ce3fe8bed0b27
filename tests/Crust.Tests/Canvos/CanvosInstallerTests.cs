using Crust.Canvos;
using Crust.Formats;
using Crust.Providers;
using Crust.Spec;
using Crust.Tests.Layers;

namespace Crust.Tests.Canvos;

/// <summary>A folder laid out as CanvOS' as the spec of an installer.</summary>
public sealed class CanvosInstallerTests
{
    private const string Arg = """
        IMAGE_REGISTRY=registry.example.com/edge
        OS_DISTRIBUTION=ubuntu
        OS_VERSION=22
        ISO_NAME=palette-edge-installer
        PE_VERSION=v4.6.1
        BRANDING="Acme Edge"
        FORCE_INTERACTIVE_INSTALL=true
        DEBUG=true

        """;

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-canvos-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void What_the_folder_says_of_the_medium_are_keys_of_the_spec()
    {
        foreach (var name in new[] { "user-data", "overlay/files-iso/y", "content-a/one.zst", "content-b/two.zst", ".edge-custom-config.yaml", "local-ui.tar", "spc.tgz" })
        {
            Write(name, "x");
        }

        var spec = SpecOf(Arg + "CLUSTERCONFIG=spc.tgz\n");

        Assert.That((spec.Name, spec.Base.Oci, spec.Machine.Arch),
            Is.EqualTo(("palette-edge-installer", "docker://us-docker.pkg.dev/palette-images/edge/kairos-ubuntu:22.04-core-amd64-generic-v0.17.1", Arch.Amd64)));
        Assert.That((spec.Medium.Title, spec.Medium.Interactive, spec.Medium.Debug), Is.EqualTo(("Acme Edge", true, true)));
        Assert.That(spec.Medium.Content, Is.EqualTo(new[] { At("content-a/one.zst"), At("content-b/two.zst") }));
        Assert.That(new[] { spec.Seed.UserData[0], spec.Medium.EdgeConfig, spec.Medium.ClusterConfig, spec.Medium.LocalUi, spec.Medium.Overlay },
            Is.EqualTo(new[] { At("user-data"), At(".edge-custom-config.yaml"), At("spc.tgz"), At("local-ui.tar"), At("overlay/files-iso") }));
        Assert.That(spec.InputFiles, Does.Contain(At("user-data")).And.Contain(At("content-a/one.zst")), "no installer is written over them");
        Assert.That(spec.WhereIs("medium.title"), Does.StartWith(At(".arg:6")));
    }

    [Test]
    public void The_system_is_the_base_with_the_agent_and_all_of_the_overlay()
    {
        Write("overlay/files/etc/x", "x");
        Write("Dockerfile", "FROM $BASE\nRUN true\n");
        Write("certs/ca.crt", SiteCertificate.New());
        Write("certs/.gitkeep", "");

        var system = CanvosInstaller.SystemOf(Read(Arg + "HTTPS_PROXY=http://proxy.example.org:3128\n"), Arch.Arm64);

        Assert.That(system.Archs, Is.EqualTo(new[] { Arch.Arm64 }));
        Assert.That(system.Steps.Select(step => step.Shown), Is.EqualTo(new[] { "RUN true" }));
        Assert.That(system.Layers.Select(layer => layer.Shown),
            Is.EqualTo(new[] { "edit /etc/cos/bootargs.cfg", "image stylus-framework-linux-{arch}", "files files" }));
        Assert.That(((ProviderLayer.Image)system.Layers[1]).Source, Is.EqualTo("docker://us-docker.pkg.dev/palette-images/edge/stylus-framework-linux-{arch}:v4.6.1"));
        Assert.That((system.Site.HttpsProxy, system.Site.Certificates.Single()), Is.EqualTo(("http://proxy.example.org:3128", At("certs/ca.crt"))));
    }

    [Test]
    public void A_proxy_with_a_login_is_the_builds_alone_and_told_of()
    {
        var folder = Read(Arg + "HTTP_PROXY=http://user:secret@proxy.example.org:3128\n");

        Assert.That((folder.Site.HttpProxy, folder.Proxies["HTTP_PROXY"]), Is.EqualTo(((string?)null, "http://user:secret@proxy.example.org:3128")));
        Assert.That(folder.Findings.Select(finding => finding.What), Has.One.Contains("HTTP_PROXY is used for the build alone").And.None.Contains("secret"));
    }

    [Test]
    public void Several_architectures_need_one_that_is_named()
    {
        var folder = Read(Arg + "ARCH=amd64,arm64\n");

        Assert.That(CanvosInstaller.ArchOf(folder, Arch.Arm64), Is.EqualTo(Arch.Arm64));
        Assert.That(() => CanvosInstaller.ArchOf(folder, null), Throws.TypeOf<CrustException>().With.Property("Remedy").EqualTo("say which by --arch"));
    }

    [TestCase("IS_UKI=true\n", "IS_UKI=true can't be built: unified kernel images aren't supported yet")]
    [TestCase("FIPS_ENABLED=true\nUPDATE_KERNEL=true\nBASE_IMAGE=x\n", "FIPS_ENABLED and UPDATE_KERNEL exclude each other: a newer kernel isn't validated")]
    [TestCase("NO_SUCH=1\n", "CanvOS has no ARG 'NO_SUCH', and the Dockerfile doesn't declare it either")]
    [TestCase("BRANDING=$(date)\n", "")]
    public void What_can_not_be_built_is_refused(string more, string what) =>
        Assert.That(() => SpecOf(Arg + more), Throws.TypeOf<CrustException>().With.Property("What").Contains(what).And.Property("Kind").EqualTo(FailureKind.BadInput));

    private BuildSpec SpecOf(string arg) => new SpecReader(ImageFormats.ForSpec).Read(new SpecSources
    {
        CurrentFolder = _folder,
        ForInstaller = true,
        Given = CanvosInstaller.KeysOf(Read(arg), Arch.Amd64),
    });

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
