using Crust.Disks;
using Crust.Formats;
using Crust.Formats.Splicing;
using Crust.Formats.Vmdk;
using Crust.Formats.Zstd;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Tests.Formats.Splicing;

[CancelAfter(300_000)]
public sealed class ImageTemplateTests
{
    private TemplateSample _sample = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Node => _sample.Disk.FileFor("node");

    [SetUp]
    public void SetUp() => _sample = new TemplateSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [Test]
    public async Task An_img_zst_is_the_one_that_would_be_written_of_the_patched_disk([Range(0, 6)] int patch)
    {
        var patches = TemplateSample.Patches.ElementAt(patch);
        using var template = Open("img.zst", await _sample.WriteAsync("img.zst"));
        var patched = await _sample.PatchedAsync(patches);
        var expected = _sample.Disk.FileFor("expected.img.zst");
        var sha256 = await ZstdDisk.WriteAsync(patched, expected, 2, _ => { }, null, Cancellation);

        var image = template.Write(patches, Node, "node.img.zst", Cancellation);

        await SameBytes.AssertFilesAsync(Node, expected, Cancellation);
        Assert.That((image.Sha256, image.Map), Is.EqualTo((sha256, patched.Map)));
    }

    [Test]
    public async Task A_vmdk_is_the_one_that_would_be_written_of_the_patched_disk_but_for_its_ids([Range(0, 6)] int patch)
    {
        var patches = TemplateSample.Patches.ElementAt(patch);
        using var template = Open("vmdk", await _sample.WriteAsync("vmdk"));
        var patched = await _sample.PatchedAsync(patches);
        var expected = _sample.Disk.FileFor("expected.vmdk");
        await new VmdkFormat().WriteAsync(_sample.Disk.Request(expected) with { Disk = patched }, Cancellation);

        template.Write(patches, Node, "node.vmdk", Cancellation);

        Assert.That(Behind(Node).AsSpan().SequenceEqual(Behind(expected)), Is.True);
        Assert.That(await TemplateSample.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "vmdk", patched.Path, Node), Does.Contain("Images are identical."));

        static byte[] Behind(string path) => File.ReadAllBytes(path)[(VmdkStructure.OverheadSectors * VmdkStructure.Sector)..];
    }

    [Test]
    public async Task A_qcow2_is_the_patched_disk_and_has_neither_errors_nor_leaks([Values] Qcow2Compression compression, [Range(0, 6)] int patch)
    {
        var patches = TemplateSample.Patches.ElementAt(patch);
        using var template = Open("qcow2", await _sample.WriteAsync("qcow2", compression));
        var patched = await _sample.PatchedAsync(patches);

        template.Write(patches, Node, "node.qcow2", Cancellation);

        Assert.That(await TemplateSample.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", patched.Path, Node), Does.Contain("Images are identical."));
        Assert.That(await TemplateSample.RunAsync("qemu-img", "check", "-f", "qcow2", Node), Does.Contain("No errors were found on the image."));
    }

    [Test]
    public async Task An_img_is_the_patched_disk([Range(0, 6)] int patch)
    {
        var patches = TemplateSample.Patches.ElementAt(patch);
        var path = await _sample.WriteAsync("img");
        using var template = Open("img", path);
        var patched = await _sample.PatchedAsync(patches);

        var image = template.Write(patches, Node, "node.img", Cancellation);

        await SameBytes.AssertFilesAsync(Node, patched.Path, Cancellation);
        Assert.That(image.Map, Is.EqualTo(patched.Map));
    }

    [Test]
    public async Task What_is_compressed_is_copied_and_not_compressed_anew([Values("img.zst", "vmdk", "qcow2")] string format)
    {
        using var template = Open(format, await _sample.WriteAsync(format));

        var splice = template.With([new DiskPatch(50L << 20, new byte[] { 1, 2, 3 })], "node");

        // Noise of 3 MiB is in the base; the tables of a small disk, a head, and one frame, grain or cluster are new.
        Assert.That(splice.Fresh, Is.LessThan(500 << 10));
        Assert.That(splice.Length, Is.GreaterThan(3 << 20));
    }

    [Test]
    public async Task Any_run_of_the_disk_can_be_read([Values("img", "img.zst", "vmdk", "qcow2")] string format)
    {
        using var template = Open(format, await _sample.WriteAsync(format));
        using var raw = File.OpenHandle(_sample.Disk.Path);
        (long Offset, int Length)[] runs = [(0, 512), ((5L << 20) - 77, 100_000), ((7L << 20) + 3, 3 << 20), (TemplateSample.Size - 600, 600), (60L << 20, 1 << 20)];
        foreach (var (offset, length) in runs)
        {
            var (read, expected) = (new byte[length], new byte[length]);
            template.Read(read, offset);
            raw.ReadUpTo(expected, offset);

            Assert.That(read.AsSpan().SequenceEqual(expected), Is.True, $"{length} bytes at {offset}");
        }

        Assert.That(template.Size, Is.EqualTo(TemplateSample.Size));
    }

    [Test]
    public async Task An_image_that_Crust_has_not_written_is_refused()
    {
        var other = _sample.Disk.FileFor("other.vmdk");
        await TemplateSample.RunAsync("qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", _sample.Disk.Path, other);

        Assert.Throws<InvalidDataException>(() => Open("vmdk", other).Dispose());
    }

    private static ImageTemplate Open(string format, string path) => ImageFormats.Named(format).OpenTemplate(path);
}
