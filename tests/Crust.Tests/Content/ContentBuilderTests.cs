using System.Text;
using System.Text.Json;
using Crust.Content;
using Crust.Isos;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Registries;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Tests.Content;

/// <summary>Bundles of images in a real registry and of files.</summary>
[CancelAfter(120_000)]
public sealed class ContentBuilderTests : RegistryFixture
{
    private static readonly Arch[] Both = [Arch.Amd64, Arch.Arm64];

    private ContentSite _site = null!;

    [SetUp]
    public void SetUp() => _site = new ContentSite();

    [TearDown]
    public void TearDown() => _site.Dispose();

    [Test]
    public async Task A_bundle_is_an_image_layout_with_each_blob_once_and_files_beside_it()
    {
        var (one, two) = (await PushAsync("1.0", Both, "*base", "app"), await PushAsync("1.0", Both, "*base", "tool"));
        Front.Forget();
        Directory.CreateDirectory(_site.FileFor("charts"));
        await File.WriteAllTextAsync(_site.FileFor("charts/app.tgz"), "a chart", Cancellation);
        await File.WriteAllTextAsync(_site.FileFor("values.yaml"), "a chart", Cancellation);

        var result = await _site.BuildAsync($"{ContentSite.Plain(Front.Host)}images: ['{one}', '{two}']\nfiles: [charts, {{ path: values.yaml, to: config/values.yaml }}]\n");

        var tree = FileTree.FromTar(await _site.JoinAsync());
        var index = JsonDocument.Parse(tree.Find("index.json")!.Content.Read(0, 1 << 20)).RootElement.GetProperty("manifests").EnumerateArray()
            .Select(entry => (Name: entry.GetProperty("annotations").GetProperty("io.containerd.image.name").GetString()!, Digest: entry.GetProperty("digest").GetString()!)).ToList();
        var shared = result.Manifest.Images.SelectMany(image => image.Platforms).Select(platform => platform.Blobs[1]).Distinct().ToArray();
        var (first, second) = (await ContentSite.DigestAsync(one), await ContentSite.DigestAsync(two));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(index, Is.EquivalentTo(new[] { (one, first), ($"{one[..^4]}@{first}", first), (two, second), ($"{two[..^4]}@{second}", second) }));
            // Of each image its index, a manifest, a config and a layer of its own; the first layer is that of both.
            Assert.That(tree.Entries.Count(entry => entry.Path.StartsWith("blobs/sha256/", StringComparison.Ordinal)), Is.EqualTo(9));
            Assert.That(tree.Entries.Where(entry => entry.Path.StartsWith("blobs/sha256/", StringComparison.Ordinal)).All(entry => Sum(entry.Content) == entry.Name), Is.True);
            Assert.That(Text(tree, "files/charts/app.tgz") + Text(tree, "files/config/values.yaml"), Is.EqualTo("a charta chart"));
            Assert.That(tree.Find("files/charts/app.tgz")!.Content, Is.SameAs(tree.Find("files/config/values.yaml")!.Content), "the second is a hard link");
            Assert.That(result.Manifest.Images.Select(image => image.Digest), Is.EqualTo(new[] { first, second }));
            Assert.That(result.Manifest.Images.SelectMany(image => image.Platforms).Select(platform => platform.Arch), Is.All.EqualTo("amd64"));
            Assert.That(result.Manifest.Files.Select(file => file.Path), Is.EqualTo(new[] { "files/charts/app.tgz", "files/config/values.yaml" }));
            Assert.That(Directory.EnumerateFiles(_site.FileFor("out")).Select(Path.GetFileName), Is.EquivalentTo(
                new[] { "content.tar.zst_part00", "content.content.json", "content.sha256", "content.sbom.spdx.json", "content.provenance.json" }));
            Assert.That(shared, Has.Length.EqualTo(1), "the layer that both have");
            Assert.That(Front.Requests.Count(request => request.StartsWith("GET", StringComparison.Ordinal) && request.Contains(shared[0], StringComparison.Ordinal)), Is.EqualTo(1),
                "it is pulled once");
            Assert.That(Notes().Single(note => note.Contains(one, StringComparison.Ordinal)), Is.EqualTo($"{one} is {one}@{first} now; name it so to pack the same image each time"));
        }

        await SampleDisk.Tools.RunAsync(ToolCommand.Of("sha256sum", "-c", "content.sha256") with { WorkingDirectory = _site.FileFor("out") }, Cancellation);
    }

    [Test]
    public async Task Both_architectures_of_an_index_are_taken_where_both_are_wanted_and_skopeo_reads_the_bundle()
    {
        var image = await PushAsync("1.0", Both, "app");

        var result = await _site.BuildAsync($"{ContentSite.Plain(Front.Host)}archs: [amd64, arm64]\nimages: ['{image}']\n");

        var archive = await _site.JoinAsync();
        foreach (var arch in Both)
        {
            var config = await SampleDisk.Tools.RunAsync(
                ToolCommand.Of("skopeo", "--insecure-policy", "--override-arch", arch.LowerName(), "inspect", "--config", $"oci-archive:{archive}:{image}"), Cancellation);
            Assert.That(config.Output, Does.Contain($"\"architecture\": \"{arch.LowerName()}\"").Or.Contain($"\"architecture\":\"{arch.LowerName()}\""));
        }

        Assert.That(result.Manifest.Images[0].Platforms.Select(platform => platform.Arch), Is.EqualTo(new[] { "amd64", "arm64" }));
    }

    [Test]
    public async Task An_image_in_Dockers_form_keeps_its_digest()
    {
        var image = await PushAsync("1.0", [Arch.Amd64], ["app"], asDocker: true);

        var result = await _site.BuildAsync($"{ContentSite.Plain(Front.Host)}images: ['{image}']\n");

        var digest = await ContentSite.DigestAsync(image);
        Assert.That(result.Manifest.Images[0] is var packed ? (packed.Digest, packed.MediaType) : default, Is.EqualTo((digest, "application/vnd.docker.distribution.manifest.v2+json")));
        Assert.That(Sum(FileTree.FromTar(await _site.JoinAsync()).Find($"blobs/sha256/{digest["sha256:".Length..]}")!.Content), Is.EqualTo(digest["sha256:".Length..]));
    }

    [Test]
    public async Task The_same_inputs_give_the_same_bytes_and_what_is_there_is_not_packed_again()
    {
        var image = await PushAsync("1.0", Both, "app", "large");
        await File.WriteAllBytesAsync(_site.FileFor("noise"), Noise(5_000_000), Cancellation);
        var text = $"{ContentSite.Plain(Front.Host)}images: ['{image}']\nfiles: [noise]\nsplit: 2M\n";

        var first = await _site.BuildAsync(text, "one");
        _site.ForgetCache();
        var second = await _site.BuildAsync(text, "two");
        var again = await _site.BuildAsync(text, "two");

        Assert.That(first.Manifest.Parts, Has.Length.EqualTo(3));
        Assert.That((first.IsNew, second.IsNew, again.IsNew), Is.EqualTo((true, true, false)));
        foreach (var file in first.Manifest.Parts.Select(part => part.File).Concat(["content.content.json", "content.sha256", "content.sbom.spdx.json"]))
        {
            await SameBytes.AssertFilesAsync(_site.FileFor($"two/{file}"), _site.FileFor($"one/{file}"), Cancellation);
        }

        Assert.That(new ContentCheck(new EventList()).Check(_site.FileFor("two"), Cancellation).Single().Findings, Is.Empty);
    }

    [Test]
    public async Task A_bundle_that_is_there_is_signed_when_that_is_wanted_later()
    {
        await File.WriteAllTextAsync(_site.FileFor("a"), "x", Cancellation);
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", _site.FileFor("key")), Cancellation);
        ContentRequest Signed(ContentRequest request) => request with { Sign = new SignSpec { Key = _site.FileFor("key") } };

        await _site.BuildAsync("files: [a]\n");
        var signed = await _site.BuildAsync("files: [a]\n", change: Signed);
        var again = await _site.BuildAsync("files: [a]\n", change: Signed);
        File.Delete(_site.FileFor("out/content.provenance.json"));
        await _site.BuildAsync("files: [a]\n");

        Assert.That((signed.IsNew, again.IsNew), Is.EqualTo((false, false)));
        Assert.That(signed.Files.Select(file => file.File), Does.Contain("content.provenance.json").And.Contain("content.provenance.json.sig"));
        Assert.That(again.Files.Select(file => file.File), Is.EqualTo(new[] { "content.tar.zst_part00" }));
        Assert.That(Directory.EnumerateFiles(_site.FileFor("out")).Select(Path.GetFileName), Does.Contain("content.provenance.json").And.Not.Contain("content.provenance.json.sig"));
    }

    [Test]
    public async Task A_smaller_bundle_leaves_no_parts_of_the_one_before()
    {
        await File.WriteAllBytesAsync(_site.FileFor("noise"), Noise(3_000_000), Cancellation);
        await _site.BuildAsync("files: [noise]\nsplit: 1M\n");
        await File.WriteAllBytesAsync(_site.FileFor("noise"), Noise(1000), Cancellation);

        var result = await _site.BuildAsync("files: [noise]\nsplit: 1M\n");

        Assert.That(Directory.EnumerateFiles(_site.FileFor("out"), "*_part*").Select(Path.GetFileName), Is.EqualTo(new[] { "content.tar.zst_part00" }));
        Assert.That(result.IsNew, Is.True);
    }

    [Test]
    public async Task What_was_pulled_before_a_registry_broke_off_is_not_pulled_again()
    {
        var (one, two) = (await PushAsync("1.0", [Arch.Amd64], "first"), await PushAsync("1.0", [Arch.Amd64], "second"));
        var text = $"{ContentSite.Plain(Front.Host)}images: ['{one}', '{two}']\n";
        var layer = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(await File.ReadAllBytesAsync(_site.Layer($"second-{Arch.Amd64}"), Cancellation)));
        Front.Do = (_, path) => path.Contains($"/blobs/sha256:{layer}", StringComparison.Ordinal) ? new Fault { Status = 503 } : null;

        var error = await _site.FailAsync(text);
        Front.Do = (_, _) => null;
        Front.Forget();
        await _site.BuildAsync(text);

        Assert.That((error.Kind, error.Where.Contains("images[1]", StringComparison.Ordinal)), Is.EqualTo((FailureKind.InputOutput, true)), error.Message);
        var of = $"/{one.Split('/')[1].Split(':')[0]}/blobs/";
        Assert.That(Front.Requests.Where(request => request.Contains(of, StringComparison.Ordinal) && request.StartsWith("GET", StringComparison.Ordinal)).ToList(), Has.Count.LessThanOrEqualTo(1),
            "the config alone");
    }

    [Test]
    public async Task A_blob_of_the_cache_that_was_damaged_is_found_and_pulled_again()
    {
        var image = await PushAsync("1.0", [Arch.Amd64], "app");
        var text = $"{ContentSite.Plain(Front.Host)}images: ['{image}']\n";
        var blob = (await _site.BuildAsync(text)).Manifest.Images[0].Platforms[0].Blobs[1];
        var path = Path.Combine(_site.Cache, "blobs", "sha256", blob["sha256:".Length..]);
        await File.WriteAllBytesAsync(path, new byte[new FileInfo(path).Length], Cancellation);
        Directory.Delete(_site.FileFor("out"), recursive: true);

        var error = await _site.FailAsync(text);

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.InputOutput, path)), error.Message);
        Assert.That(Directory.EnumerateFileSystemEntries(_site.FileFor("out")), Is.Empty);
        Assert.That((await _site.BuildAsync(text)).IsNew, Is.True);
    }

    [Test]
    public async Task Files_of_others_are_not_replaced_and_the_bundle_is_not_packed_into_itself()
    {
        Directory.CreateDirectory(_site.FileFor("out"));
        await File.WriteAllTextAsync(_site.FileFor("out/content.tar.zst"), "mine", Cancellation);
        await File.WriteAllTextAsync(_site.FileFor("a"), "x", Cancellation);

        var taken = await _site.FailAsync("files: [a]\n");
        var within = await _site.FailAsync($"files: [{{ path: '{_site.Folder}', to: all }}]\n");

        Assert.That((taken.Kind, taken.What, taken.Where), Is.EqualTo((FailureKind.BadInput, "There is a file in the bundle's place that Crust didn't make", _site.FileFor("out/content.tar.zst"))));
        Assert.That(within.What, Is.EqualTo("The bundle would be written into a folder that is packed into it"));
        Assert.That(await File.ReadAllTextAsync(_site.FileFor("out/content.tar.zst"), Cancellation), Is.EqualTo("mine"));
    }

    [Test]
    public async Task The_parts_go_onto_a_copy_of_an_ISO_and_into_a_partition_the_same_bytes_each_time()
    {
        using var isos = new IsoSample();
        var iso = await isos.WriteAsync("VENDOR", ("boot/kernel", "x"));
        await File.WriteAllTextAsync(_site.FileFor("a"), "x", Cancellation);
        ContentRequest Wanted(ContentRequest request) => request with { Iso = iso, HasPartition = true };

        var first = await _site.BuildAsync("files: [a]\n", "one", Wanted);
        var second = await _site.BuildAsync("files: [a]\n", "two", Wanted);

        File.SetUnixFileMode(_site.FileFor("one/content.tar.zst_part00"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Delete(_site.FileFor("one/content.iso"));
        var again = await _site.BuildAsync("files: [a]\n", "one", Wanted);

        using var tree = new IsoTree(_site.FileFor("one/content.iso"));
        Assert.That(tree.ReadText("opt/spectrocloud/content/content.sha256", 1000), Is.EqualTo(await File.ReadAllTextAsync(_site.FileFor("one/content.sha256"), Cancellation)));
        Assert.That((tree.ReadText("boot/kernel", 10), tree.KindOf("opt/spectrocloud/content/content.tar.zst_part00")), Is.EqualTo(("x", IsoEntryKind.File)));
        var listed = await SampleDisk.Tools.RunAsync(ToolCommand.Of("debugfs", "-R", "ls -p /bundle-content", _site.FileFor("one/content.ext4")), Cancellation);
        Assert.That(listed.Output, Does.Contain("/content.tar.zst_part00/").And.Contain("/content.content.json/"));
        Assert.That((await SampleDisk.Tools.RunAsync(ToolCommand.Of("e2label", _site.FileFor("one/content.ext4")), Cancellation)).Output.Trim(), Is.EqualTo("COS_CONTENT"));
        Assert.That(again.Files.Single(file => file.File == "content.iso"), Is.EqualTo(first.Files.Single(file => file.File == "content.iso")), "whatever modes the parts have");
        Assert.That(second.Files, Is.EqualTo(first.Files).Using<ContentPart>((a, b) => a == b || (a.File == b.File && a.File.EndsWith("provenance.json", StringComparison.Ordinal))));
    }

    [Test]
    public async Task A_copy_of_a_disk_gets_the_partition_behind_those_that_it_has()
    {
        var disk = _site.FileFor("disk.img");
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("truncate", "-s", "8M", disk), Cancellation);
        await SampleDisk.Tools.RunAsync(ToolCommand.Of("sgdisk", "-n", "1:0:0", disk), Cancellation);
        await File.WriteAllTextAsync(_site.FileFor("a"), "x", Cancellation);

        await _site.BuildAsync("files: [a]\n", change: request => request with { Disk = disk, HasPartition = true });
        var none = await _site.FailAsync("files: [a]\n", request => request with { Disk = _site.FileFor("a") });

        var copy = _site.FileFor("out/content.img");
        var table = (await SampleDisk.Tools.RunAsync(ToolCommand.Of("sgdisk", "-v", "-i", "2", copy), Cancellation)).Output;
        Assert.That(table, Does.Contain("No problems found").And.Contain("Partition name: 'COS_CONTENT'"));
        var partition = await File.ReadAllBytesAsync(_site.FileFor("out/content.ext4"), Cancellation);
        var written = await File.ReadAllBytesAsync(copy, Cancellation);
        SameBytes.Assert(written.AsSpan(8 << 20, partition.Length), partition, "the partition");
        Assert.That((none.Kind, none.What), Is.EqualTo((FailureKind.BadInput, "The disk can't get a partition for the content: it has no GPT")));
    }

    private Task<string> PushAsync(string tag, Arch[] archs, params string[] layers) => PushAsync(tag, archs, layers, asDocker: false);

    private Task<string> PushAsync(string tag, Arch[] archs, string[] layers, bool asDocker) =>
        _site.PushAsync(Front.Host, $"{NewRepository().Split('/', 2)[1]}:{tag}", archs, layers, asDocker: asDocker);

    private IEnumerable<string> Notes() => _site.Events.Events.OfType<BuildEvent.Noted>().Select(note => note.Message);

    private static string Text(FileTree tree, string path) => Encoding.UTF8.GetString(tree.Find(path)!.Content.Read(0, 1000));

    private static string Sum(TreeContent content) => Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content.Read(0, 64 << 20)));

    private static byte[] Noise(int length)
    {
        var bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }
}
