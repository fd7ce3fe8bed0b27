using System.Text.Json;
using Crust.Formats;
using Crust.Registries;
using Crust.Spec;
using Crust.Tests.Formats;

namespace Crust.Tests.Registries;

/// <summary>Images pushed to Debian's registry, and read back from it.</summary>
[CancelAfter(600_000)]
public sealed class PublisherTests : RegistryFixture
{
    private string _repository = "";

    [SetUp]
    public void ChooseRepository() => _repository = NewRepository();

    [Test]
    public async Task Each_format_comes_back_from_the_registry_as_it_was_under_its_own_tag()
    {
        string[] formats = [.. ImageFormats.Names.Where(name => name is not ("iso" or "kubevirt"))];
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, formats);

        var published = await sample.PublishAsync();

        Assert.That(published.Images.Select(image => $"{image.Target.Index}"), Is.EqualTo(formats.Select(format => $"{_repository}/edge/images:1.0-{format}")));
        foreach (var image in published.Images)
        {
            var files = await sample.PullAsync($"{image.Target.Image}");
            Assert.That(files.Keys, Is.EqualTo(image.Image.BlockMap is { } map ? new[] { image.Image.File, map.File } : [image.Image.File]));
            foreach (var (name, path) in files)
            {
                await SampleImages.RunAsync("cmp", path, sample.Shelf.ImagePath(name));
            }
        }
    }

    [Test]
    public async Task An_artifact_says_what_it_is()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "img.zst");

        var published = (await sample.PublishAsync()).Images[0];

        var manifest = await PublishSample.ReadAsync($"{_repository}/edge/images@{published.Digest}");
        Assert.That(manifest.GetProperty("artifactType").GetString(), Is.EqualTo("application/vnd.crust.image.v1"));
        Assert.That(manifest.GetProperty("config").GetRawText(), Is.EqualTo("""{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}"""));
        Assert.That(manifest.GetProperty("layers").EnumerateArray().Select(layer => layer.GetProperty("mediaType").GetString()), Is.EqualTo(new[] { "application/vnd.efi.img+zstd", "application/vnd.crust.bmap+xml" }));
        Assert.That(manifest.GetProperty("annotations").GetRawText(), Is.EqualTo($$"""
            {"org.opencontainers.image.created":"2025-03-04T05:06:00Z","org.opencontainers.image.title":"edge","org.opencontainers.image.version":"12","vnd.crust.arch":"amd64","vnd.crust.build-key":"{{new string('a', 64)}}","vnd.crust.disk-content":"{{new string('e', 64)}}","vnd.crust.format":"img.zst","vnd.crust.installer":"sha256:{{new string('d', 64)}}"}
            """));
    }

    [Test]
    public async Task A_containerDisk_is_pushed_as_the_image_that_it_holds_under_the_tag_itself()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt");

        var published = (await sample.PublishAsync()).Images[0];

        Assert.That(published.Reference, Is.EqualTo($"{_repository}/edge/images:1.0-amd64@{published.Digest}"));
        Assert.That(await SampleImages.RunAsync("skopeo", "--insecure-policy", "inspect", "--format", "{{.Digest}}", $"oci-archive:{sample.Shelf.ImagePath(published.Image)}"), Is.EqualTo(published.Digest + "\n"));
        var index = await PublishSample.ReadAsync($"{_repository}/edge/images:1.0");
        var entry = index.GetProperty("manifests").EnumerateArray().Single();
        Assert.That((entry.GetProperty("digest").GetString(), entry.GetProperty("platform").GetRawText()), Is.EqualTo((published.Digest, """{"architecture":"amd64","os":"linux"}""")));
    }

    [Test]
    public async Task What_is_there_already_is_not_pushed_again()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt", "img");
        var first = await sample.PublishAsync();
        Front.Forget();

        var second = await sample.PublishAsync();

        Assert.That(Front.Requests, Is.Not.Empty);
        Assert.That(Front.Writes, Is.Empty);
        Assert.That(second.Images.Select(image => (image.Reference, image.IndexDigest, image.Pushed)), Is.EqualTo(first.Images.Select(image => (image.Reference, image.IndexDigest, false))));
        Assert.That(first.Images.Select(image => image.Pushed), Is.All.True);
    }

    [Test]
    public async Task Manifest_report_and_checksums_and_what_else_there_is_hang_on_each_image()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt", "img.zst");
        await File.WriteAllTextAsync(sample.Shelf.ReportPath("edge"), "<html>✓ Built</html>", Cancellation);
        foreach (var file in new[] { "provenance.json", "provenance.json.sig", "sbom.spdx.json" })
        {
            await File.WriteAllTextAsync(sample.Shelf.ImagePath($"edge.{file}"), $"this is {file}", Cancellation);
        }

        var published = await sample.PublishAsync();

        foreach (var image in published.Images)
        {
            var list = await PublishSample.ReadAsync($"{_repository}/edge/images:{image.Digest.Replace(':', '-')}");
            var digests = list.GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("digest").GetString()).ToList();
            Assert.That(digests, Is.EquivalentTo(image.Attached.Select(file => file.Digest)));
            Assert.That(image.Attached.Select(file => file.File), Is.EquivalentTo(
                new[] { "edge.manifest.json", "edge.report.html", "edge.provenance.json", "edge.provenance.json.sig", "edge.sbom.spdx.json", "SHA256SUMS" }));
            foreach (var file in image.Attached)
            {
                var manifest = await PublishSample.ReadAsync($"{_repository}/edge/images@{file.Digest}");
                Assert.That(manifest.GetProperty("subject").GetProperty("digest").GetString(), Is.EqualTo(image.Digest));
                Assert.That(manifest.GetProperty("artifactType").GetString(), Is.EqualTo(file.ArtifactType));
                await SampleImages.RunAsync("cmp", (await sample.PullAsync($"{_repository}/edge/images@{file.Digest}"))[file.File], sample.Shelf.ImagePath(file.File));
            }
        }
    }

    [Test]
    public async Task The_report_of_a_build_that_failed_since_is_not_attached()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "img.zst");
        await File.WriteAllTextAsync(sample.Shelf.ReportPath("edge"), "<html>✗ Failed</html>", Cancellation);

        var published = await sample.PublishAsync();

        Assert.That(published.Images[0].Attached.Select(file => file.File), Is.EqualTo(new[] { "edge.manifest.json", "SHA256SUMS" }));
    }

    [Test]
    public async Task A_newer_manifest_takes_the_olds_place_and_what_others_have_attached_stays()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "img.zst");
        var first = (await sample.PublishAsync()).Images[0];
        var list = $"{_repository}/edge/images:{first.Digest.Replace(':', '-')}";
        await AttachAsync(list, first.Digest);
        var path = sample.Shelf.ManifestPath("edge");
        await File.WriteAllTextAsync(path, (await File.ReadAllTextAsync(path, Cancellation)).Replace("0.1.0+commit", "0.1.1"), Cancellation);

        var second = (await sample.PublishAsync()).Images[0];

        Assert.That((second.Pushed, second.Digest), Is.EqualTo((false, first.Digest)));
        Assert.That(second.Attached[0].Digest, Is.Not.EqualTo(first.Attached[0].Digest));
        Assert.That((await PublishSample.ReadAsync(list)).GetProperty("manifests").EnumerateArray().Select(entry => entry.GetProperty("digest").GetString()),
            Is.EquivalentTo(second.Attached.Select(file => file.Digest).Append(first.Digest)));
    }

    [Test]
    public async Task The_tag_holds_all_architectures_that_are_there()
    {
        using var amd64 = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt");
        using var arm64 = await PublishSample.MakeAsync(_repository, Arch.Arm64, "kubevirt");

        var first = (await amd64.PublishAsync()).Images[0];
        var second = (await arm64.PublishAsync()).Images[0];

        await MustHoldBothAsync(first, second);
    }

    [Test]
    public async Task Of_two_who_publish_at_once_none_loses_the_others_architecture()
    {
        using var amd64 = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt");
        using var arm64 = await PublishSample.MakeAsync(_repository, Arch.Arm64, "kubevirt");
        PublishedImage? second = null;
        var isFirst = 1;
        // The first is about to write an index with its own architecture alone; the second publishes all of its own before that.
        Front.Do = (method, path) => method == "PUT" && path.EndsWith("/manifests/1.0", StringComparison.Ordinal) && Interlocked.Exchange(ref isFirst, 0) == 1
            ? new Fault { Before = async () => second = (await arm64.PublishAsync()).Images[0] }
            : null;

        var first = (await amd64.PublishAsync()).Images[0];

        await MustHoldBothAsync(first, second!);
    }

    [Test]
    public async Task A_key_tag_tells_what_is_there()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt", "img.zst");

        var published = await sample.PublishAsync();

        using var tags = JsonDocument.Parse(await SampleImages.RunAsync("skopeo", "list-tags", "--tls-verify=false", $"docker://{_repository}/edge/images"));
        foreach (var image in published.Images)
        {
            Assert.That(image.KeyTag, Is.EqualTo(PublishedKey.TagOf(image.Image.BuildKey, image.Image.Format, image.Image.Recipe)).And.Match("^key-[0-9a-f]{40}$"));
            Assert.That(tags.RootElement.GetProperty("Tags").EnumerateArray().Select(tag => tag.GetString()), Does.Contain(image.KeyTag));
            Assert.That((await SampleImages.RunAsync("skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false", $"docker://{_repository}/edge/images:{image.KeyTag}")).Length, Is.GreaterThan(0));
        }

        Assert.That(published.Images.Select(image => image.KeyTag), Is.Unique);
    }

    [Test]
    public async Task A_tag_that_moves_is_told_with_what_it_named_before()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "qcow2");
        var first = (await sample.PublishAsync()).Images[0];
        var manifest = sample.Shelf.ManifestPath("edge");
        await File.WriteAllTextAsync(manifest, (await File.ReadAllTextAsync(manifest, Cancellation)).Replace(new string('e', 64), new string('f', 64)), Cancellation);

        var second = (await sample.PublishAsync()).Images[0];

        Assert.That((second.Pushed, second.Replaced), Is.EqualTo((true, first.Digest)));
        Assert.That(sample.Events.Events.OfType<BuildEvent.Noted>().Select(note => note.Message), Is.EqualTo(new[] { $"{_repository}/edge/images:1.0-qcow2-amd64 named {first.Digest} before" }));
        Assert.That((await PublishSample.ReadAsync($"{_repository}/edge/images:1.0-qcow2")).GetProperty("manifests")[0].GetProperty("digest").GetString(), Is.EqualTo(second.Digest));
    }

    [Test]
    public async Task A_tag_that_names_something_else_is_moved_only_if_the_user_says_so()
    {
        using var sample = await PublishSample.MakeAsync(_repository, Arch.Amd64, "kubevirt");
        var there = $"{_repository}/edge/images:foreign";
        var foreign = await PushSomethingElseAsync(sample, there);
        var spec = sample.With(p => p with { Images = p.Images.Add("kubevirt", there) });

        var error = await sample.FailAsync(spec);

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That((error.What, error.Where), Is.EqualTo(($"The tag names something else, which isn't an image of edge: {foreign}", there)));
        Assert.That((await sample.PublishAsync(spec with { Publish = spec.Publish with { Overwrite = true } })).Images[0].Pushed, Is.True);
    }

    // What another program pushes has no title of ours.
    private static async Task<string> PushSomethingElseAsync(PublishSample sample, string reference)
    {
        await File.WriteAllTextAsync(sample.FileFor("hello"), "hello", Cancellation);
        await SampleImages.RunAsync("tar", "-C", sample.Folder, "-cf", sample.FileFor("hello.tar"), "hello");
        await SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", $"tarball:{sample.FileFor("hello.tar")}", $"docker://{reference}");
        return (await SampleImages.RunAsync("skopeo", "--insecure-policy", "inspect", "--format", "{{.Digest}}", "--tls-verify=false", $"docker://{reference}")).Trim();
    }

    // Another program's entry; what it names is in the registry, or that wouldn't take it.
    private async Task AttachAsync(string list, string digest)
    {
        var index = await SampleImages.RunAsync("skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false", $"docker://{list}");
        var manifest = await SampleImages.RunAsync("skopeo", "--insecure-policy", "inspect", "--raw", "--tls-verify=false", $"docker://{_repository}/edge/images@{digest}");
        var entry = $$"""{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{digest}}","size":{{manifest.Length}}}""";
        var folder = Directory.CreateDirectory(Path.Combine(Registry.Folder, $"attach-{Guid.NewGuid():N}")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "manifest.json"), index.Replace("\"manifests\":[", $"\"manifests\":[{entry},"), Cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "version"), "Directory Transport Version: 1.1\n", Cancellation);
        await SampleImages.RunAsync("skopeo", "--insecure-policy", "copy", "--multi-arch", "index-only", "--dest-tls-verify=false", $"dir:{folder}", $"docker://{list}");
    }

    private async Task MustHoldBothAsync(PublishedImage amd64, PublishedImage arm64)
    {
        var index = await PublishSample.ReadAsync($"{_repository}/edge/images:1.0");
        Assert.That(index.GetProperty("manifests").EnumerateArray().Select(entry => (entry.GetProperty("platform").GetProperty("architecture").GetString(), entry.GetProperty("digest").GetString())),
            Is.EqualTo(new[] { ("amd64", amd64.Digest), ("arm64", arm64.Digest) }));
    }
}
