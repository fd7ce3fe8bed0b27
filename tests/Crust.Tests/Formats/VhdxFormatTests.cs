using System.Text.Json;
using Crust.Tests.Disks;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Formats;

[CancelAfter(300_000)]
public sealed class VhdxFormatTests : ImageFixture
{
    private const int MiB = 1 << 20;
    private const long GiB = 1L << 30;

    [Test]
    public async Task qemu_img_7z_and_libvhdi_read_the_disk_that_was_written()
    {
        var image = await Images.WriteAsync("vhdx");

        await Images.MustBeTheDiskAsync("vhdx", image.Path);
        Assert.That(await SampleImages.RunAsync("qemu-img", "check", "-f", "vhdx", image.Path), Does.Contain("No errors were found"));
        Assert.That(await SampleImages.RunAsync("vhdiinfo", image.Path), Does.Match(@"Disk type\s+: Dynamic").And.Contain($"({21 * MiB} bytes)"));
        await SampleImages.RunAsync("7z", "x", "-y", "-tvhdx", $"-o{Images.Disk.FileFor("7z")}", image.Path);
        await SampleImages.RunAsync("cmp", "-n", $"{Images.Disk.Installed.Size}", Images.Disk.Path, Directory.GetFiles(Images.Disk.FileFor("7z")).Single());
    }

    [Test]
    public async Task Blocks_of_zeros_are_absent()
    {
        var image = await Images.WriteAsync("vhdx");

        // Headers, log, metadata, table; of the disk the MiB 0, 1, 2, 5, 6, 7, 12, 20.
        Assert.That(image.Size, Is.EqualTo((4 + 8) * MiB));
    }

    [Test]
    public async Task It_can_be_written_to()
    {
        var image = await Images.WriteAsync("vhdx");

        await SampleImages.RunAsync("qemu-io", "-f", "vhdx", "-c", "write -P 7 3M 4096", image.Path);

        Assert.That(await SampleImages.RunAsync("qemu-io", "-f", "vhdx", "-c", "read -P 7 3M 4096", image.Path), Does.Not.Contain("verification failed"));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes_however_its_zeros_are_stored()
    {
        using var sparse = new SampleImages(new SampleDisk(8 * MiB, new Piece(5 * MiB, 100)));
        using var full = new SampleImages(new SampleDisk(8 * MiB, new Piece(0, 8 * MiB, PieceKind.Zeros), new Piece(5 * MiB, 100)));

        var image = await sparse.WriteAsync("vhdx");

        Assert.That((await full.WriteAsync("vhdx")).Sha256, Is.EqualTo(image.Sha256));
        Assert.That(await SampleImages.RunAsync("sha256sum", image.Path), Does.StartWith(image.Sha256!));
    }

    [Test]
    public async Task A_huge_disk_has_larger_blocks()
    {
        using var images = new SampleImages(new SampleDisk(5000 * GiB, new Piece(0, 512), new Piece((5000 * GiB) - 512, 512)));

        var image = await images.WriteAsync("vhdx");

        using var info = JsonDocument.Parse(await SampleImages.RunAsync("qemu-img", "info", "--output=json", image.Path));
        Assert.That(info.RootElement.GetProperty("virtual-size").GetInt64(), Is.EqualTo(5000 * GiB));
        Assert.That(info.RootElement.GetProperty("cluster-size").GetInt64(), Is.EqualTo(4 * MiB));
        Assert.That(image.Size, Is.LessThan((3 + 16 + 8) * MiB));
    }

    [Test]
    public async Task Blocks_beyond_the_first_chunk_are_where_the_table_says()
    {
        // A chunk is 4096 blocks; behind its entries is one for a sector bitmap.
        using var images = new SampleImages(new SampleDisk((4 * GiB) + (3 * MiB), new Piece((4 * GiB) - 100, 200), new Piece((4 * GiB) + (2 * MiB), MiB, PieceKind.Noise)));

        await images.MustBeTheDiskAsync("vhdx", (await images.WriteAsync("vhdx")).Path);
    }

    [Test]
    public void Any_disk_is_read_back_as_it_was()
    {
        var pieces = Gen.Zip(Gen.Zip(Gen.Choose(0, 8 * MiB), Gen.Choose(1, 2 * MiB)), Gen.Elements(PieceKind.Zeros, PieceKind.Text, PieceKind.Noise))
            .Select(drawn => new Piece(drawn.Item1.Item1, drawn.Item1.Item2, drawn.Item2)).ListOf();

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(20), Prop.ForAll(Arb.From(Gen.Zip(pieces, Gen.Choose(1, 3000))), async drawn =>
        {
            var (parts, behind) = drawn;
            var size = ((parts.Select(piece => piece.Offset + piece.Length).Append(0).Max() / 512) + behind) * 512;
            using var images = new SampleImages(new SampleDisk(size, [.. parts]));

            await images.MustBeTheDiskAsync("vhdx", (await images.WriteAsync("vhdx")).Path);
        }));
    }
}
