using Crust.Formats;
using Crust.Tests.Disks;

namespace Crust.Tests.Formats;

[CancelAfter(300_000)]
public sealed class GceFormatTests : ImageFixture
{
    private const int MiB = 1 << 20;
    private const long GiB = 1L << 30;

    [Test]
    public async Task tar_and_gzip_read_the_disk_that_was_written_and_it_is_whole_GiB()
    {
        var image = await Images.WriteAsync("gce");

        await SampleImages.RunAsync("gzip", "--test", image.Path);
        var list = await SampleImages.RunAsync("tar", "--numeric-owner", "--utc", "-tvzf", image.Path);
        Assert.That(list.Split(' ', StringSplitOptions.RemoveEmptyEntries), Is.EqualTo($"-rw-r--r-- 0/0 {GiB} 1970-01-01 00:00 disk.raw\n".Split(' ')));
        await SampleImages.RunAsync("tar", "-C", Images.Disk.FileFor("images"), "--sparse", "-xzf", image.Path);
        await Images.MustBeTheDiskAsync("raw", Images.Disk.FileFor("images/disk.raw"));
    }

    [Test]
    public async Task The_archive_is_in_the_format_that_Google_asks_for()
    {
        var image = await Images.WriteAsync("gce");

        Assert.That(await SampleImages.RunAsync("sh", "-c", $"gzip -dc '{image.Path}' 2>/dev/null | head -c 265 | tail -c 8 | od -An -c"),
            Is.EqualTo("   u   s   t   a   r          \\0\n"));
    }

    [Test]
    public async Task Zeros_cost_a_thousandth_of_their_length()
    {
        using var images = new SampleImages(new SampleDisk(20 * GiB, new Piece(0, 512), new Piece((20 * GiB) - 512, 512)));

        Assert.That((await images.WriteAsync("gce")).Size, Is.LessThan(20 * GiB / 900));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes_however_its_zeros_are_stored()
    {
        using var sparse = new SampleImages(new SampleDisk(40 * MiB, new Piece(3 * MiB, 100), new Piece(39 * MiB, MiB, PieceKind.Noise)));
        using var full = new SampleImages(new SampleDisk(40 * MiB, new Piece(0, 39 * MiB, PieceKind.Zeros), new Piece(3 * MiB, 100), new Piece(39 * MiB, MiB, PieceKind.Noise)));

        var image = await sparse.WriteAsync("gce");

        Assert.That((await full.WriteAsync("gce")).Sha256, Is.EqualTo(image.Sha256));
        Assert.That(await SampleImages.RunAsync("sha256sum", image.Path), Does.StartWith(image.Sha256!));
    }

    [Test]
    public async Task It_is_unpacked_sparse_to_be_booted()
    {
        var image = await Images.WriteAsync("gce");

        var disk = await image.Format.OpenAsync(image.Path, Images.Disk.Folder, SampleDisk.Tools, Cancellation);

        await Images.MustBeTheDiskAsync(disk.Driver, disk.Path);
        Assert.That(await SampleImages.RunAsync("du", "--block-size=1M", disk.Path), Does.Match(@"^\d{1,2}\s"));
    }

    [TestCase("")]
    [TestCase("garbage")]
    public async Task Something_else_is_told(string content)
    {
        var path = Images.Disk.FileFor("x.tar.gz");
        await File.WriteAllTextAsync(path, content);

        var error = (await Assert.ThrowsAsync<CrustException>(() => ImageFormats.Named("gce").OpenAsync(path, Images.Disk.Folder, SampleDisk.Tools, Cancellation)))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, path)));
    }
}
