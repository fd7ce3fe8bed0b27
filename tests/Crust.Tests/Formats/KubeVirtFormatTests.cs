using System.Text.Json;
using Crust.Formats;
using Crust.Spec;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Registries;

namespace Crust.Tests.Formats;

[CancelAfter(120_000)]
public sealed class KubeVirtFormatTests : ImageFixture
{
    [Test]
    public async Task The_layer_that_skopeo_copies_holds_the_qcow2_for_KubeVirt_s_QEMU_alone()
    {
        var written = await Images.WriteAsync(["kubevirt", "qcow2"], new EventList());

        var layer = await CopyLayerAsync(written[0].Path);

        var list = await SampleImages.RunAsync("tar", "--numeric-owner", "--utc", "-tvf", layer);
        Assert.That(list.Split(' ', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo(
            $"dr-xr-xr-x 107/107 0 1970-01-01 00:00 disk/\n-r--r----- 107/107 {written[1].Size} 1970-01-01 00:00 disk/edge.qcow2\n".Split(' ')));
        await SampleImages.RunAsync("tar", "-C", Images.Disk.Folder, "-xf", layer);
        await SampleImages.RunAsync("cmp", Images.Disk.FileFor("disk/edge.qcow2"), written[1].Path);
        await Images.MustBeTheDiskAsync("qcow2", Images.Disk.FileFor("disk/edge.qcow2"));
    }

    [Test]
    public async Task It_says_which_architecture_the_guest_is_for([Values] Arch arch)
    {
        Images.Spec = new BuildSpec { Machine = new() { Arch = arch } };
        var image = await Images.WriteAsync("kubevirt");

        using var seen = JsonDocument.Parse(await SkopeoAsync("inspect", $"oci-archive:{image.Path}"));
        Assert.That(seen.RootElement.GetProperty("Architecture").GetString(), Is.EqualTo(arch is Arch.Amd64 ? "amd64" : "arm64"));
        Assert.That(seen.RootElement.GetProperty("Os").GetString(), Is.EqualTo("linux"));
        Assert.That(seen.RootElement.GetProperty("Layers").GetArrayLength(), Is.EqualTo(1));
        using var index = JsonDocument.Parse(await SampleImages.RunAsync("tar", "-xOf", image.Path, "index.json"));
        var manifest = index.RootElement.GetProperty("manifests")[0];
        Assert.That(manifest.GetProperty("platform").GetProperty("architecture").GetString(), Is.EqualTo(arch is Arch.Amd64 ? "amd64" : "arm64"));
        Assert.That(manifest.GetProperty("annotations").GetProperty("org.opencontainers.image.ref.name").GetString(), Is.EqualTo("edge"));
    }

    [Test]
    public async Task A_registry_takes_it_and_gives_it_back_as_it_was()
    {
        var image = await Images.WriteAsync("kubevirt");
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var remote = $"docker://{registry.Host}/edge/disk:1";

        await SkopeoAsync("copy", "--preserve-digests", "--dest-tls-verify=false", $"oci-archive:{image.Path}", remote);
        await SkopeoAsync("copy", "--preserve-digests", "--src-tls-verify=false", remote, $"oci:{Images.Disk.FileFor("pulled")}:edge");

        var local = await SkopeoAsync("inspect", "--format", "{{.Digest}}", $"oci-archive:{image.Path}");
        Assert.That(await SkopeoAsync("inspect", "--format", "{{.Digest}}", $"oci:{Images.Disk.FileFor("pulled")}:edge"), Is.EqualTo(local));
    }

    [Test]
    public async Task Each_blob_has_the_name_that_its_bytes_give_it()
    {
        var image = await Images.WriteAsync("kubevirt");
        await SampleImages.RunAsync("tar", "-C", Images.Disk.Folder, "-xf", image.Path);

        var blobs = Directory.GetFiles(Images.Disk.FileFor("blobs/sha256"));

        Assert.That(blobs, Has.Length.EqualTo(3));
        foreach (var blob in blobs)
        {
            Assert.That(await SampleImages.RunAsync("sha256sum", blob), Does.StartWith(Path.GetFileName(blob)));
        }
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes_whether_the_qcow2_is_asked_for_or_not()
    {
        using var again = new SampleImages();

        var both = await Images.WriteAsync(["qcow2", "kubevirt"], new EventList());
        var alone = await again.WriteAsync("kubevirt");

        Assert.That(alone.Sha256, Is.EqualTo(both[1].Sha256));
        Assert.That(await SampleImages.RunAsync("sha256sum", alone.Path), Does.StartWith(alone.Sha256));
    }

    [Test]
    public async Task The_qcow2_stays_only_if_it_is_asked_for()
    {
        await Images.WriteAsync(["kubevirt", "qcow2"], new EventList());
        Assert.That(Images.Files, Is.EqualTo(new[] { "edge.kubevirt.oci.tar", "edge.qcow2" }));

        using var alone = new SampleImages();
        await alone.WriteAsync("kubevirt");
        Assert.That(alone.Files, Is.EqualTo(new[] { "edge.kubevirt.oci.tar" }));
    }

    [Test]
    public async Task QEMU_reads_the_disk_where_it_is()
    {
        var image = await Images.WriteAsync("kubevirt");

        var disk = await image.Format.OpenAsync(image.Path, Images.Disk.Folder, SampleDisk.Tools, Cancellation);

        await Images.MustBeTheDiskAsync(disk);
    }

    [Test]
    public async Task What_skopeo_has_written_is_read_too_unless_it_has_compressed_the_layer()
    {
        var image = await Images.WriteAsync("kubevirt");
        var copy = Images.Disk.FileFor("copy.kubevirt.oci.tar");
        await SkopeoAsync("copy", "--preserve-digests", $"oci-archive:{image.Path}", $"oci-archive:{copy}:edge");
        await Images.MustBeTheDiskAsync(await image.Format.OpenAsync(copy, Images.Disk.Folder, SampleDisk.Tools, Cancellation));
        var compressed = Images.Disk.FileFor("compressed.kubevirt.oci.tar");
        await SkopeoAsync("copy", $"oci-archive:{image.Path}", $"oci-archive:{compressed}:edge");

        var error = (await Assert.ThrowsAsync<CrustException>(() => image.Format.OpenAsync(compressed, Images.Disk.Folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.StartWith("The image isn't a containerDisk with one uncompressed layer").And.EndsWith("its layer is of the type application/vnd.oci.image.layer.v1.tar+gzip"));
    }

    [TestCase("")]
    [TestCase("garbage")]
    public async Task Something_else_is_told(string content)
    {
        var path = Images.Disk.FileFor("x.kubevirt.oci.tar");
        await File.WriteAllTextAsync(path, content);

        var error = (await Assert.ThrowsAsync<CrustException>(() => ImageFormats.Named("kubevirt").OpenAsync(path, Images.Disk.Folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That(error.Where, Is.EqualTo(path));
    }

    private async Task<string> CopyLayerAsync(string image)
    {
        var folder = Images.Disk.FileFor("copied");
        await SkopeoAsync("copy", $"oci-archive:{image}", $"dir:{folder}");
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(folder, "manifest.json"), Cancellation));
        return Path.Combine(folder, manifest.RootElement.GetProperty("layers")[0].GetProperty("digest").GetString()!["sha256:".Length..]);
    }

    // Debian's skopeo has no policy of its own and refuses to work without one.
    private static Task<string> SkopeoAsync(params string[] arguments) => SampleImages.RunAsync("skopeo", ["--insecure-policy", .. arguments]);
}
