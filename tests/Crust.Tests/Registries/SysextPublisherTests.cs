using System.Text.Json;
using Crust.Registries;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tools;

namespace Crust.Tests.Registries;

/// <summary>System extensions in a real registry, read back by skopeo.</summary>
[CancelAfter(120_000)]
public sealed class SysextPublisherTests
{
    private LocalRegistry _registry = null!;
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private PublishSpec To => new() { Repository = $"{_registry.Host}/edge/extensions", Tls = false, Retries = 0 };

    [SetUp]
    public async Task StartRegistry()
    {
        _registry = await LocalRegistry.StartAsync(Cancellation);
        _folder = Directory.CreateTempSubdirectory("crust-extensions-").FullName;
    }

    [TearDown]
    public async Task StopRegistry()
    {
        await _registry.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task Each_version_is_an_index_over_architectures_whose_manifests_hold_the_file_under_its_name()
    {
        Add("docker-28.1.0-x86-64.raw", "docker-28.1.0-arm64.raw", "k3s-v1.34.1+k3s1-x86-64.raw");

        var published = await PublishAsync();

        Assert.That(published.Select(one => (one.Image.ToString(), one.Pushed)), Is.EqualTo(new[]
        {
            ($"{_registry.Host}/edge/extensions/docker:28.1.0", true), ($"{_registry.Host}/edge/extensions/k3s:v1.34.1_k3s1", true),
        }));
        using var index = await InspectAsync("docker:28.1.0");
        Assert.That(index.RootElement.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("platform").GetProperty("architecture").GetString()), Is.EqualTo(new[] { "amd64", "arm64" }));
        using var manifest = await InspectAsync("docker:28.1.0-arm64");
        var layer = manifest.RootElement.GetProperty("layers").EnumerateArray().Single();
        Assert.That(manifest.RootElement.GetProperty("artifactType").GetString(), Is.EqualTo(SysextPublisher.ArtifactType));
        Assert.That(layer.GetProperty("annotations").GetProperty("org.opencontainers.image.title").GetString(), Is.EqualTo("docker-28.1.0-arm64.raw"));
        var copy = Path.Combine(_folder, "copy");
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "copy", "--src-tls-verify=false", $"docker://{_registry.Host}/edge/extensions/docker:28.1.0-arm64", $"dir:{copy}"), Cancellation);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(copy, layer.GetProperty("digest").GetString()![7..]), Cancellation), Is.EqualTo("docker-28.1.0-arm64.raw"));
    }

    [Test]
    public async Task What_is_there_is_not_pushed_again_and_an_architecture_that_comes_later_joins_the_index()
    {
        Add("docker-28.1.0-x86-64.raw");
        var first = await PublishAsync();
        var again = await PublishAsync();
        File.Delete(Path.Combine(_folder, "docker-28.1.0-x86-64.raw"));
        Add("docker-28.1.0-arm64.raw");

        var later = await PublishAsync();

        Assert.That((again[0].Pushed, again[0].Digest), Is.EqualTo((false, first[0].Digest)));
        using var index = await InspectAsync("docker:28.1.0");
        Assert.That(index.RootElement.GetProperty("manifests").GetArrayLength(), Is.EqualTo(2));
        Assert.That(later[0].Digest, Is.Not.EqualTo(first[0].Digest));
    }

    [Test]
    public async Task A_tag_of_something_else_is_left_alone()
    {
        Add("docker-28.1.0-x86-64.raw");
        await PublishAsync();
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "copy", "--all", "--src-tls-verify=false", "--dest-tls-verify=false",
            $"docker://{_registry.Host}/edge/extensions/docker:28.1.0", $"docker://{_registry.Host}/edge/extensions/tool:1.0"), Cancellation);
        File.Delete(Path.Combine(_folder, "docker-28.1.0-x86-64.raw"));
        Add("tool-1.0-x86-64.raw");

        Assert.That(async () => await PublishAsync(), Throws.TypeOf<CrustException>().With.Property("Kind").EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void Nothing_that_says_where_to_is_refused()
    {
        Add("docker-28.1.0-x86-64.raw");

        Assert.That(async () => await PublishAsync(new PublishSpec()), Throws.TypeOf<CrustException>().With.Property("What").EqualTo("Nothing says in which registry the extensions are to be published"));
    }

    private async Task<System.Collections.Immutable.ImmutableArray<PublishedSysext>> PublishAsync(PublishSpec? to = null) =>
        await new SysextPublisher(SampleDisk.Tools, Path.Combine(_folder, "cache"), new EventList(), TimeProvider.System).PublishAsync(_folder, await SysextIndex.HashAsync(_folder, Cancellation), to ?? To, Cancellation);

    private async Task<JsonDocument> InspectAsync(string image) => JsonDocument.Parse(
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of("skopeo", "inspect", "--raw", "--tls-verify=false", $"docker://{_registry.Host}/edge/extensions/{image}"), Cancellation)).Output);

    private void Add(params string[] names)
    {
        foreach (var name in names)
        {
            File.WriteAllText(Path.Combine(_folder, name), name);
        }
    }
}
