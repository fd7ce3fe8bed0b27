using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Crust.Bases;
using Crust.Layers;
using Crust.Providers;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tests.Registries;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Tests.Providers;

/// <summary>Provider images in a real registry, read back by skopeo.</summary>
[CancelAfter(180_000)]
public sealed class ProviderBuilderTests : RegistryFixture
{
    private ProviderSample _sample = null!;

    [SetUp]
    public async Task SetUpAsync()
    {
        _sample = new ProviderSample();
        _sample.ServeKubernetes();
        Directory.CreateDirectory(Path.Combine(_sample.Folder, "cache"));
        await _sample.PushAsync(Registry.Host, "base/os:1", ProviderSample.Base);
        await _sample.PushAsync(Registry.Host, "agents/kubeadm:v1", ProviderSample.Agent);
    }

    [TearDown]
    public void TearDown() => _sample.Dispose();

    private ProviderSpec Spec(string repository, string more = "", string customTag = "demo")
    {
        var spec = _sample.Spec(Registry.Host, more, customTag);
        return spec with { Publish = spec.Publish with { Repository = repository } };
    }

    [Test]
    public async Task Each_version_is_an_index_over_architectures_with_the_bases_layers_and_more_over_them()
    {
        var repository = NewRepository();

        var result = await _sample.Builder.PublishAsync(Spec(repository), Cancellation);

        Assert.That(result.Images.Select(image => image.Reference.ToString()), Is.EqualTo(new[] { $"{repository}:kubeadm-1.33.5-v4.10.0-demo", $"{repository}:kubeadm-1.34.1-v4.10.0-demo" }));
        Assert.That(result.Base, Does.Match($"^docker://{Registry.Host}/base/os@sha256:[0-9a-f]{{64}}$"));
        using var index = await InspectAsync(result.Images[1].Reference.ToString());
        Assert.That(index.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("platform").GetProperty("architecture").GetString()), Is.EqualTo(new[] { "amd64", "arm64" }));
        var tree = await PullAsync(result.Images[1].Reference, Arch.Arm64);
        Assert.That(Text(tree, "usr/bin/kubelet"), Is.EqualTo("kubelet 1.34.1 arm64"), "the base's merged /usr is followed");
        Assert.That(Text(tree, "usr/bin/site-tool"), Is.EqualTo("site"));
        Assert.That(tree.Find("bin")!.LinkTarget, Is.EqualTo("usr/bin"));
        Assert.That(tree.Find("tmp")!.Mode, Is.EqualTo((UnixFileMode)0x3FF), "the base's folders stay what they are");
        Assert.That(Text(tree, "system/providers/agent-provider-kubeadm"), Is.EqualTo("agent Arm64"));
        Assert.That(Text(tree, "system/providers/agent-provider-old"), Is.EqualTo("old"), "where newer images have their agents, machines mount something else");
        Assert.That(tree.Find("usr/local/system/providers"), Is.Null);
        Assert.That(Text(tree, "opt/kube/a"), Is.EqualTo("a"));
        Assert.That(Text(tree, "etc/note"), Is.EqualTo("bundled\n"));
        Assert.That(tree.Find("etc/ssh/ssh_host_rsa_key"), Is.Null);
        Assert.That(tree.Find("etc/ssh/sshd_config"), Is.Not.Null);
        Assert.That((tree.Find("etc/machine-id")!.Content.Length, tree.Find("etc/machine-id")!.Mode), Is.EqualTo((0L, (UnixFileMode)0x124)));
    }

    [Test]
    public async Task Layers_that_versions_and_images_share_are_pushed_once()
    {
        // One that has nothing yet: skopeo asks a registry for blobs of its other repositories.
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        using var front = new RegistryFront(registry);
        var spec = Spec($"{front.Host}/edge/ubuntu");

        var first = await _sample.Builder.PublishAsync(spec, Cancellation);

        // An architecture has the base's layer, the identity's, three that versions share, and Kubernetes' and a config for each version; the text is the same for both architectures.
        var uploads = Uploads(front);
        var layers = first.Images.SelectMany(image => image.Archs).SelectMany(arch => arch.Layers).DistinctBy(layer => layer.Digest).ToList();
        Assert.That(first.Images.SelectMany(image => image.Archs).Select(arch => arch.Layers.Length), Is.All.EqualTo(5));
        Assert.That(uploads, Is.EqualTo(uploads.Distinct()), "each blob once");
        Assert.That(uploads, Has.Count.EqualTo(layers.Count + 2 + 4), "the layers, a base for each architecture, a config for each image");
        var others = 0L;
        foreach (var image in first.Images.SelectMany(image => image.Archs))
        {
            using var manifest = await InspectAsync(image.Reference.ToString());
            others += manifest.RootElement.GetProperty("config").GetProperty("size").GetInt64();
            others += image.Reference.Tag.Contains("1.33.5") ? manifest.RootElement.GetProperty("layers")[0].GetProperty("size").GetInt64() : 0;
        }

        Assert.That(front.BlobBytes, Is.EqualTo(layers.Sum(layer => layer.Size) + others), "no byte of a blob twice");

        front.Forget();
        var again = await _sample.Builder.PublishAsync(spec, Cancellation);
        Assert.That(front.Writes, Is.Empty, "nothing of what is there is pushed again");
        Assert.That(again.Images.Select(image => image.Digest), Is.EqualTo(first.Images.Select(image => image.Digest)));

        var other = await _sample.Builder.PublishAsync(spec with { CustomTag = "other" }, Cancellation);
        Assert.That((Uploads(front).Count, front.BlobBytes), Is.EqualTo((0, 0L)), "another tag of the same layers is but manifests, whose configs are the same");
        Assert.That(other.Images.SelectMany(image => image.Archs).Select(arch => arch.Pushed), Is.All.True);
    }

    [Test]
    public async Task What_a_machine_makes_of_the_base_is_one_layer_of_all_versions_and_is_kept()
    {
        _sample.Steps.Change = (root, arch) => root.Without("etc/ssh").Without("usr/bin/init").With(
            TreeEntry.File("usr/bin/made", TreeContent.Of($"made for {arch}"), TreeEntry.Executable), TreeEntry.Folder("usr/bin/init"), TreeEntry.File("usr/bin/init/x", TreeContent.Of("x")),
            TreeEntry.File("tmp/left", TreeContent.Of("left")));
        var spec = Spec(NewRepository()) with { Steps = [Command("make")], Layers = [] };

        var first = await _sample.Builder.PublishAsync(spec, Cancellation);
        var second = await _sample.Builder.PublishAsync(spec with { Publish = spec.Publish with { Repository = NewRepository() } }, Cancellation);

        var tree = await PullAsync(first.Images[0].Reference, Arch.Arm64);
        Assert.That((Text(tree, "usr/bin/made"), Text(tree, "usr/bin/init/x")), Is.EqualTo(("made for Arm64", "x")));
        Assert.That(new[] { "etc/ssh", "etc/ssh/sshd_config", "tmp/left" }.Where(path => tree.Find(path) is not null), Is.Empty, "what is gone is hidden, and nothing is taken from /tmp");
        Assert.That(tree.Find("etc/kairos-release"), Is.Not.Null);
        Assert.That(first.Images.SelectMany(image => image.Archs).Where(arch => arch.Arch is Arch.Amd64).Select(arch => (arch.Layers[0].Shown, arch.Layers[0].Digest)).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_sample.Steps.Machines, Is.EqualTo(new[] { Arch.Amd64, Arch.Arm64 }), "one machine for each architecture, and none the second time");
        Assert.That(second.Images.Select(image => image.Digest), Is.EqualTo(first.Images.Select(image => image.Digest)));

        await _sample.Builder.PublishAsync(spec with { Steps = [Command("make"), Command("more")], CustomTag = "more" }, Cancellation);
        Assert.That(_sample.Steps.Machines, Has.Count.EqualTo(4), "other steps are done anew");

        static RootStep Command(string what) => new RootStep.Command([what], "/", null, ImmutableSortedDictionary<string, string>.Empty) { Where = "Dockerfile:1, RUN", Shown = what };
    }

    [TestCase("252", false, true)]
    [TestCase("255", false, false)]
    [TestCase("255.4-1ubuntu8", false, false)]
    [TestCase("255", true, true)]
    public async Task A_base_whose_systemd_gets_Kubernetes_by_extensions_gets_none_here_if_nobody_insists(string systemd, bool insists, bool isThere)
    {
        await _sample.PushAsync(Registry.Host, $"base/systemd:{systemd}", arch => ProviderSample.Base(arch).With(TreeEntry.File($"usr/lib/systemd/libsystemd-shared-{systemd}.so", TreeContent.Empty)));
        var spec = Spec(NewRepository()) with { Base = $"docker://{Registry.Host}/base/systemd:{systemd}", Archs = [Arch.Amd64] };
        spec = spec with
        {
            Kubernetes = spec.Kubernetes with { OnlyWithoutExtensions = !insists },
            Layers = [.. spec.Layers.Select(layer => layer is ProviderLayer.Image ? layer with { IsOfKubernetes = true } : layer)],
        };

        var result = await _sample.Builder.PublishAsync(spec, Cancellation);

        var tree = await PullAsync(result.Images[0].Reference, Arch.Amd64);
        Assert.That(new[] { "usr/bin/kubelet", "system/providers/agent-provider-kubeadm" }.Select(path => tree.Find(path) is not null), Is.All.EqualTo(isThere));
        Assert.That(Text(tree, "usr/bin/site-tool"), Is.EqualTo("site"));
        Assert.That(_sample.Events.Events.OfType<BuildEvent.Noted>().Any(note => note.Message.Contains("come by system extensions")), Is.EqualTo(!isThere));
    }

    [Test]
    public async Task A_text_of_the_base_is_changed_where_it_is_there()
    {
        await _sample.PushAsync(Registry.Host, "base/cos:1", arch => ProviderSample.Base(arch).With(TreeEntry.File("etc/cos/bootargs.cfg", TreeContent.Of("selinux=1\n"), (UnixFileMode)0x180)));
        var layer = new ProviderLayer.Edit("etc/cos/bootargs.cfg", text => text.Replace('1', '0')) { Where = "here" };
        var spec = Spec(NewRepository()) with { Archs = [Arch.Amd64], Layers = [layer, layer with { Target = "etc/none" }] };

        var result = await _sample.Builder.PublishAsync(spec with { Base = $"docker://{Registry.Host}/base/cos:1" }, Cancellation);

        var tree = await PullAsync(result.Images[0].Reference, Arch.Amd64);
        Assert.That((Text(tree, "etc/cos/bootargs.cfg"), tree.Find("etc/cos/bootargs.cfg")!.Mode), Is.EqualTo(("selinux=0\n", (UnixFileMode)0x180)));
        Assert.That(tree.Find("etc/none"), Is.Null);
    }

    [Test]
    public async Task The_values_of_the_pack_lead_to_tags_that_are_there()
    {
        foreach (var tag in new[] { "demo", "" })
        {
            var result = await _sample.Builder.PublishAsync(Spec(NewRepository(), customTag: tag), Cancellation);

            foreach (var image in result.Images)
            {
                Assert.That(result.Values.For(image.Version), Is.EqualTo(image.Reference));
                using var there = await InspectAsync(result.Values.For(image.Version).ToString());
            }
        }
    }

    [Test]
    public async Task The_same_spec_gives_the_same_images_anywhere()
    {
        var first = await _sample.Builder.PublishAsync(Spec(NewRepository()), Cancellation);
        Directory.Delete(Path.Combine(_sample.Folder, "cache"), recursive: true);

        var second = await _sample.Builder.PublishAsync(Spec(NewRepository()), Cancellation);

        Assert.That(second.Images.Select(image => image.Digest), Is.EqualTo(first.Images.Select(image => image.Digest)));
    }

    [Test]
    public async Task An_architecture_that_comes_later_joins_the_index_and_takes_no_ones_place()
    {
        var repository = NewRepository();
        await _sample.Builder.PublishAsync(Spec(repository) with { Archs = [Arch.Amd64] }, Cancellation);

        var result = await _sample.Builder.PublishAsync(Spec(repository) with { Archs = [Arch.Arm64] }, Cancellation);

        using var index = await InspectAsync(result.Images[0].Reference.ToString());
        Assert.That(index.RootElement.GetProperty("manifests").GetArrayLength(), Is.EqualTo(2));
    }

    [Test]
    public async Task A_tag_of_an_image_that_Crust_has_not_made_is_left_alone_before_anything_is_built()
    {
        var repository = NewRepository();
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "--insecure-policy", "copy", "--multi-arch", "all", "--src-tls-verify=false", "--dest-tls-verify=false",
            $"docker://{Registry.Host}/base/os:1", $"docker://{repository}:kubeadm-1.34.1-v4.10.0-demo"), Cancellation);
        Front.Forget();

        var error = (await Assert.CatchAsync<CrustException>(() => _sample.Builder.PublishAsync(Spec(repository), Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, $"{repository}:kubeadm-1.34.1-v4.10.0-demo")));
        Assert.That(Front.Writes, Is.Empty);
    }

    [TestCase("  - image: docker://HOST/agents/none:v1", "doesn't have")]
    [TestCase("  - image: docker://HOST/agents/kubeadm:v1\n    take: /opt/cube", "The image has no '/opt/cube'")]
    [TestCase("  - files: nothing", "What a layer names isn't there")]
    [TestCase("  - recipe: kubernets", "There is no recipe 'kubernets'")]
    [TestCase("  - text: x\n    to: /usr/bin/init/below", "The layer doesn't fit onto the base")]
    public async Task What_is_not_there_is_refused_and_leaves_nothing(string layer, string what)
    {
        var repository = NewRepository();
        Front.Forget();

        var error = (await Assert.CatchAsync<CrustException>(() => _sample.Builder.PublishAsync(Spec(repository, layer.Replace("HOST", Registry.Host)), Cancellation)))!;

        Assert.That(error.What, Does.Contain(what));
        Assert.That(Front.Writes, Is.Empty);
        Assert.That(Directory.EnumerateDirectories(Path.Combine(_sample.Folder, "cache"), "scratch-*"), Is.Empty);
    }

    private static List<string> Uploads(RegistryFront front) => [.. front.Writes.Where(write => write.StartsWith("PUT", StringComparison.Ordinal) && write.Contains("/blobs/uploads/"))
        .Select(write => Uri.UnescapeDataString(write[(write.IndexOf("digest=", StringComparison.Ordinal) + 7)..]))];

    private static async Task<JsonDocument> InspectAsync(string image) => JsonDocument.Parse(
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{image}"), Cancellation)).Output);

    private async Task<FileTree> PullAsync(RegistryReference image, Arch arch)
    {
        var archive = Path.Combine(_sample.Folder, "pulled.tar");
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "--insecure-policy", "--override-arch", arch.LowerName(), "copy", "--src-tls-verify=false", $"docker://{image}", $"oci-archive:{archive}"), Cancellation);
        var scratch = Directory.CreateDirectory(Path.Combine(_sample.Folder, "pulled")).FullName;
        return await new OciImageReader(SampleDisk.Tools).ReadAsync(OciImageReader.Open(archive), archive, arch, scratch, 1 << 20, Cancellation);
    }

    private static string Text(FileTree tree, string path) => Encoding.UTF8.GetString(tree.Find(path)!.Content.Read(0, 1000));
}
