using Crust.Disks;
using Crust.Formats.Qcow2;
using Crust.Formats.Splicing;
using Crust.Tests.Disks;

namespace Crust.Tests.Formats.Splicing;

[CancelAfter(120_000)]
public sealed class Qcow2OverlayTests
{
    private const int MiB = 1 << 20;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task Over_its_base_it_is_the_patched_disk([Range(0, 6)] int patch)
    {
        var patches = TemplateSample.Patches.ElementAt(patch);
        using var sample = new TemplateSample();
        using var template = RawTemplate.Open(sample.Disk.Path);
        var overlay = sample.Disk.FileFor("node.overlay.qcow2");

        Qcow2Overlay.Of(template, "raw", "disk.raw", patches).WriteTo(overlay, null, Cancellation);

        var patched = await sample.PatchedAsync(patches);
        Assert.That(await TemplateSample.RunAsync("qemu-img", "compare", "-f", "raw", "-F", "qcow2", patched.Path, overlay), Does.Contain("Images are identical."));
        Assert.That(await TemplateSample.RunAsync("qemu-img", "check", "-f", "qcow2", overlay), Does.Contain("No errors were found on the image."));
    }

    [TestCase(4L)]
    [TestCase(100L)]
    [TestCase(256L)]
    public void With_a_seed_it_has_at_most_200_KB(long gibibytes)
    {
        using var disk = new SampleDisk(gibibytes << 30, new Piece(0, 512));
        using var template = RawTemplate.Open(disk.Path);
        // What a FAT with a few small files has: data at its start, and zeros.
        var seed = new byte[960 << 10];
        seed.AsSpan(0, 24 << 10).Fill(0x5a);

        var overlay = Qcow2Overlay.Of(template, "raw", "disk.raw", [new DiskPatch(20 << 10, seed)]);

        Assert.That(overlay.Length, Is.LessThan(200_000));
    }

    [Test]
    public void The_same_patches_make_the_same_bytes()
    {
        using var sample = new TemplateSample();
        using var template = RawTemplate.Open(sample.Disk.Path);
        var sums = Enumerable.Range(0, 2).Select(i => Qcow2Overlay.Of(template, "raw", "disk.raw", [new DiskPatch(3 * MiB, new byte[] { 1, 2, 3 })])
            .WriteTo(sample.Disk.FileFor($"{i}.qcow2"), null, Cancellation)).ToList();

        Assert.That(sums[0], Is.EqualTo(sums[1]));
    }
}
