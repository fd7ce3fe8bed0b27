using Crust.Tests.Disks;
using Crust.Tests.Installers;

namespace Crust.Tests.Formats;

[CancelAfter(300_000)]
public sealed class ImgZstFormatTests
{
    private SampleImages _images = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _images = new SampleImages();

    [TearDown]
    public void TearDown() => _images.Dispose();

    [Test]
    public async Task Bmaptool_writes_the_image_to_a_disk_by_the_map_beside_it()
    {
        var image = await _images.WriteAsync("img.zst");
        var target = _images.Disk.FileFor("target.raw");

        await SampleImages.RunAsync("bmaptool", "copy", image.Path, target);

        Assert.That(image.BlockMap, Is.EqualTo(image.Path + ".bmap"));
        await _images.MustBeTheDiskAsync("raw", target);
    }

    [Test]
    public async Task It_is_found_again_as_the_disk_that_it_unpacks_to()
    {
        var image = await _images.WriteAsync("img.zst");

        await _images.MustBeTheDiskAsync(await image.Format.OpenAsync(image.Path, _images.Disk.Folder, SampleDisk.Tools, Cancellation));
    }

    [Test]
    public async Task A_file_that_is_cut_off_is_told()
    {
        var image = await _images.WriteAsync("img.zst");
        using (var file = File.OpenHandle(image.Path, FileMode.Open, FileAccess.Write))
        {
            RandomAccess.SetLength(file, image.Size / 2);
        }

        var error = (await Assert.ThrowsAsync<CrustException>(() => image.Format.OpenAsync(image.Path, _images.Disk.Folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, image.Path)));
    }

    [Test]
    public async Task Images_with_holes_have_a_map_in_place_of_a_SHA_256_and_the_map_is_right()
    {
        foreach (var image in await _images.WriteAsync(["img", "vhd"], new EventList()))
        {
            Assert.That((image.Sha256, image.BlockMap), Is.EqualTo(((string?)null, image.Path + ".bmap")), image.Format.Name);
            var copy = _images.Disk.FileFor(image.Format.Name + ".copy");
            await SampleImages.RunAsync("bmaptool", "copy", image.Path, copy);
            await SameBytes.AssertFilesAsync(copy, image.Path, Cancellation);
        }
    }
}
