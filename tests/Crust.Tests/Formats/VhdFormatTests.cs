using System.Text.Json;
using Crust.Formats.Vhd;
using Crust.Tests.Disks;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Formats;

[CancelAfter(120_000)]
public sealed class VhdFormatTests : ImageFixture
{
    private const long MiB = 1 << 20;

    [Test]
    public async Task qemu_img_7z_and_libvhdi_read_the_disk_that_was_written()
    {
        var image = await Images.WriteAsync("vhd");

        await Images.MustBeTheDiskAsync("vpc", image.Path);
        Assert.That(await SampleImages.RunAsync("vhdiinfo", image.Path), Does.Match(@"Disk type\s+: Fixed").And.Contain($"({21 * MiB} bytes)"));
        await SampleImages.RunAsync("7z", "x", "-y", "-tvhd", $"-o{Images.Disk.FileFor("7z")}", image.Path);
        await SampleImages.RunAsync("cmp", "-n", $"{Images.Disk.Installed.Size}", Images.Disk.Path, Directory.GetFiles(Images.Disk.FileFor("7z")).Single());
    }

    [Test]
    public async Task It_is_a_whole_number_of_MiB_and_a_footer_as_Azure_wants_it()
    {
        var image = await Images.WriteAsync("vhd");

        Assert.That(image.Size, Is.EqualTo((21 * MiB) + 512));
        using var info = JsonDocument.Parse(await SampleImages.RunAsync("qemu-img", "info", "--output=json", "-f", "vpc", image.Path));
        Assert.That(info.RootElement.GetProperty("virtual-size").GetInt64(), Is.EqualTo(21 * MiB));
    }

    [Test]
    public async Task It_takes_no_more_room_than_the_disk_and_leaves_that_as_it_is()
    {
        using var images = new SampleImages(new SampleDisk(64 * MiB, new Piece(0, 4096), new Piece(32 * MiB, 4096)));
        var before = await SampleImages.RunAsync("sha256sum", images.Disk.Path);

        var image = await images.WriteAsync("vhd");

        Assert.That(await SampleImages.RunAsync("du", "--block-size=1K", image.Path), Does.Match(@"^\d{1,3}\s"));
        Assert.That(await SampleImages.RunAsync("sha256sum", images.Disk.Path), Is.EqualTo(before));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes()
    {
        using var again = new SampleImages();
        using var other = new SampleImages(new SampleDisk(21 * MiB, new Piece(0, 1)));

        var image = await Images.WriteAsync("vhd");

        Assert.That((await again.WriteAsync("vhd")).Sha256, Is.EqualTo(image.Sha256));
        Assert.That(Id((await other.WriteAsync("vhd")).Path), Is.Not.EqualTo(Id(image.Path)), "another disk is another id");
    }

    [TestCase(21 * 2048, 632, 4, 17)]
    [TestCase(10L << 21, 20805, 16, 63)]
    [TestCase(100L << 21, 51400, 16, 255)]
    [TestCase(2040L << 21, 65535, 16, 255)]
    public void The_geometry_of_a_disk(long sectors, int cylinders, int heads, int perTrack) =>
        Assert.That(VhdFooter.Geometry(sectors), Is.EqualTo((cylinders, heads, perTrack)));

    [Test]
    public void The_geometry_is_never_larger_than_the_disk_and_less_than_a_cylinder_smaller() =>
        Check.One(Config.QuickThrowOnFailure, Prop.ForAll(Arb.From(Gen.Choose(2048, 65535 * 16 * 255)), sectors =>
        {
            var (cylinders, heads, perTrack) = VhdFooter.Geometry(sectors);
            Assert.That(sectors - ((long)cylinders * heads * perTrack), Is.InRange(0, (heads * perTrack) - 1 + perTrack));
            Assert.That((cylinders, heads), Is.EqualTo((Math.Clamp(cylinders, 0, 65535), Math.Clamp(heads, 4, 16))));
        }));

    private static string Id(string path) => Convert.ToHexString(File.ReadAllBytes(path)[^(512 - 68)..^(512 - 84)]);
}
