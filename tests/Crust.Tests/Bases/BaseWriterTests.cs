using System.Formats.Tar;
using System.IO.Compression;
using Crust.Disks;

namespace Crust.Tests.Bases;

[CancelAfter(60_000)]
public sealed class BaseWriterTests
{
    private const int Size = 2 * BaseSample.DiskSize;

    private BaseSample _sample = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _sample = new BaseSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase("raw", "b.img")]
    [TestCase("qcow2", "b.qcow2")]
    [TestCase("qcow2", "b.qcow2", "-c")]
    [TestCase("vmdk", "b.vmdk")]
    [TestCase("vmdk", "b.vmdk", "-o", "subformat=streamOptimized")]
    [TestCase("vpc", "b.vhd", "-o", "subformat=dynamic,force_size=on")]
    [TestCase("vpc", "b.vhd", "-o", "subformat=fixed,force_size=on")]
    [TestCase("vhdx", "b.vhdx")]
    [TestCase("vdi", "b.vdi")]
    public async Task Each_kind_of_image_becomes_the_same_sparse_disk(string format, string name, params string[] options)
    {
        var image = await _sample.ConvertAsync(format, name, Cancellation, options);

        await AssertIsTheDiskAsync(await _sample.WriteAsync(image, Size, Cancellation));
    }

    [TestCase("xz", ".xz")]
    [TestCase("bzip2", ".bz2")]
    [TestCase("zstd", ".zst")]
    [TestCase("gzip", ".gz")]
    public async Task A_compressed_image_is_unpacked_whatever_kind_it_is(string program, string extension)
    {
        var raw = await BaseSample.PackAsync(_sample.Raw("packed.img"), program, extension, Cancellation);
        await AssertIsTheDiskAsync(await _sample.WriteAsync(raw, Size, Cancellation));

        var vmdk = await BaseSample.PackAsync(await _sample.ConvertAsync("vmdk", "packed.vmdk", Cancellation), program, extension, Cancellation);
        await AssertIsTheDiskAsync(await _sample.WriteAsync(vmdk, Size, Cancellation));
    }

    [Test]
    public async Task A_disk_in_a_tar_archive_as_Compute_Engine_takes_it_is_found()
    {
        var path = _sample.FileFor("gce.tar.gz");
        await using (var gzip = new GZipStream(File.Create(path), CompressionMode.Compress))
        await using (var tar = new TarWriter(gzip, TarEntryFormat.Gnu))
        {
            await using var disk = File.OpenRead(_sample.Raw());
            await tar.WriteEntryAsync(new GnuTarEntry(TarEntryType.RegularFile, "disk.raw") { DataStream = disk }, Cancellation);
        }

        await AssertIsTheDiskAsync(await _sample.WriteAsync(path, Size, Cancellation));
    }

    [TestCase("xz", ".xz")]
    [TestCase("bzip2", ".bz2")]
    [TestCase("zstd", ".zst")]
    [TestCase("gzip", ".gz")]
    public async Task One_that_is_cut_off_is_refused_and_nothing_is_left(string program, string extension)
    {
        var packed = await BaseSample.PackAsync(_sample.Raw("cut.img"), program, extension, Cancellation);
        await using (var file = File.OpenWrite(packed))
        {
            file.SetLength(file.Length / 2);
        }

        var error = await FailureAsync(packed, Size);

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, packed)));
        Assert.That(error.What, Does.StartWith("The image can't be unpacked: "));
        Assert.That(error.Remedy, Does.StartWith("get the file again: it is damaged or cut off"));
        AssertNothingIsLeft();
    }

    [Test]
    public async Task An_image_whose_disk_is_larger_is_refused_with_the_size_that_it_needs()
    {
        foreach (var (format, name) in new[] { ("raw", "l.img"), ("qcow2", "l.qcow2") })
        {
            var error = await FailureAsync(await _sample.ConvertAsync(format, name, Cancellation), BaseSample.DiskSize - 512);

            Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
            Assert.That(error.What, Is.EqualTo("The image's disk of 8.0 MiB is larger than the disk of 8.0 MiB"));
            Assert.That(error.Where, Is.EqualTo($"{_sample.FileFor(name)}; machine.disk"));
            Assert.That(error.Remedy, Does.Contain("to 8M or more"));
        }

        var packed = await FailureAsync(await BaseSample.PackAsync(_sample.Raw("l.img"), "xz", ".xz", Cancellation), BaseSample.DiskSize - 512);
        Assert.That(packed.What, Does.Contain("is larger than the disk of"));
        AssertNothingIsLeft();
    }

    [Test]
    public async Task What_is_no_disk_once_it_is_unpacked_is_refused()
    {
        await File.WriteAllTextAsync(_sample.FileFor("text"), new string('x', 10_000), Cancellation);

        var error = await FailureAsync(await BaseSample.PackAsync(_sample.FileFor("text"), "xz", ".xz", Cancellation), Size);

        Assert.That((error.What, error.Where), Is.EqualTo(("This is neither an ISO nor a disk image", _sample.FileFor("text.xz"))));
        AssertNothingIsLeft();
    }

    [Test]
    public async Task One_that_names_a_backing_file_is_refused_also_when_it_is_compressed()
    {
        var overlay = _sample.FileFor("over.qcow2");
        await BaseSample.RunAsync("qemu-img", ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", _sample.Raw(), overlay], Cancellation);

        var error = await FailureAsync(await BaseSample.PackAsync(overlay, "xz", ".xz", Cancellation), Size);

        Assert.That(error.What, Does.StartWith("The image isn't complete in itself: it needs"));
        Assert.That(error.Detail + error.What, Does.Contain("edge.img"));
        AssertNothingIsLeft();
    }

    [Test]
    public async Task A_grown_disk_has_its_GPT_at_the_new_end()
    {
        var raw = _sample.FileFor("gpt.img");
        await using (var file = File.Create(raw))
        {
            file.SetLength(BaseSample.DiskSize);
        }

        await BaseSample.RunAsync("sgdisk", ["-n", "1:2048:+2M", raw], Cancellation);

        var disk = await _sample.WriteAsync(raw, Size, Cancellation);

        Assert.That(await BaseSample.RunAsync("sgdisk", ["-v", disk], Cancellation), Does.Contain("No problems found"));
    }

    private async Task<CrustException> FailureAsync(string source, long size) => (await Assert.CatchAsync<CrustException>(() => _sample.WriteAsync(source, size, Cancellation)))!;

    // All drafts are in a folder beside the disk, which goes; the disk itself is its caller's.
    private void AssertNothingIsLeft() => Assert.That(Directory.GetDirectories(_sample.Folder).Where(folder => folder != _sample.FileFor("cache")), Is.Empty);

    private async Task AssertIsTheDiskAsync(string disk)
    {
        var expected = new byte[Size];
        (await File.ReadAllBytesAsync(_sample.Raw(), Cancellation)).CopyTo(expected, 0);
        await SameBytes.AssertFileAsync(disk, expected, Cancellation);
        Assert.That(SparseFile.AllocatedBytes(disk), Is.LessThan(BaseSample.DiskSize));
        AssertNothingIsLeft();
    }
}
