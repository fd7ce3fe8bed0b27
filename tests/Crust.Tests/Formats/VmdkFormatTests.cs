using System.Security.Cryptography;
using System.Text.Json;
using Crust.Formats;
using Crust.Formats.Vmdk;
using Crust.Tests.Disks;
using Crust.Tools;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Formats;

[CancelAfter(300_000)]
public sealed class VmdkFormatTests
{
    private const int Grain = VmdkStructure.Grain;
    private const long GiB = 1L << 30;

    // Of everything some: a first and a last sector, a hole, zeros, noise, pieces across grains and across grain tables.
    private static readonly Piece[] Mixed =
    [
        new(0, 512),
        new((3 * Grain) - 100, 200),
        new(10 * Grain, 3 * Grain, PieceKind.Noise),
        new(20 * Grain, 2 * Grain, PieceKind.Zeros),
        new((512 * Grain) - 1, 2),
        new((700L * Grain) + 5, 70_000),
        new((50L << 20) + 1024, 512),
    ];

    private const long MixedSize = (50L << 20) + 1536;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task qemu_img_7z_and_libvmdk_read_the_disk_that_was_written()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);
        await WriteAsync(disk, new VmdkFormat());

        Assert.That(await RunAsync("qemu-img", "compare", disk.Path, Image(disk)), Does.Contain("Images are identical."));
        await RunAsync("7z", "x", "-y", "-tvmdk", $"-o{disk.FileFor("7z")}", Image(disk));
        await RunAsync("cmp", disk.Path, Directory.GetFiles(disk.FileFor("7z")).Single());
        var info = await RunAsync("vmdkinfo", Image(disk));
        Assert.That(info, Does.Contain("Stream optimized").And.Contain($"({MixedSize} bytes)")
            .And.Contain($"Content identifier:\t\t0x{ContentId(disk)}").And.Contain("Parent content identifier:\t0xffffffff"));
    }

    [Test]
    public async Task qemu_img_knows_it_as_streamOptimized()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);
        await WriteAsync(disk, new VmdkFormat());

        using var info = JsonDocument.Parse(await RunAsync("qemu-img", "info", "--output=json", Image(disk)));
        Assert.That(info.RootElement.GetProperty("virtual-size").GetInt64(), Is.EqualTo(MixedSize));
        var format = info.RootElement.GetProperty("format-specific").GetProperty("data");
        Assert.That(format.GetProperty("create-type").GetString(), Is.EqualTo("streamOptimized"));
        Assert.That(format.GetProperty("cid").GetInt64().ToString("x8"), Is.EqualTo(ContentId(disk)));
    }

    [Test]
    public async Task It_can_be_read_from_front_to_back_as_an_import_does()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);
        await WriteAsync(disk, new VmdkFormat());

        var reader = new VmdkStreamReader(await File.ReadAllBytesAsync(Image(disk), Cancellation));
        Assert.That(reader.Read().Select(grain => grain.Index), Is.EqualTo(new[] { 0, 2, 3, 10, 11, 12, 511, 512, 700, 701, 800 }));
        Assert.That(reader.Descriptor, Is.EqualTo(VmdkDescriptor.For(MixedSize / 512, disk.Installed.Content, "disk.vmdk")));
    }

    [Test]
    public async Task The_hash_on_the_way_is_the_file_s_SHA_256()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);

        var sha256 = await WriteAsync(disk, new VmdkFormat());

        Assert.That(sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Image(disk), Cancellation)))));
    }

    [Test]
    public async Task The_same_disk_gives_the_same_bytes_with_any_number_of_workers()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);
        using var copy = new SampleDisk(MixedSize, Mixed);

        var hashes = new[]
        {
            await WriteAsync(disk, new VmdkFormat()),
            await WriteAsync(copy, new VmdkFormat()),
            await WriteAsync(disk, new VmdkFormat(() => Deflater.Create(VmdkFormat.Level), 1)),
            await WriteAsync(disk, new VmdkFormat(() => Deflater.Create(VmdkFormat.Level), 8)),
        };

        Assert.That(hashes, Is.All.EqualTo(hashes[0]));
    }

    [Test]
    public async Task Without_libdeflate_it_is_the_same_disk()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);

        await WriteAsync(disk, new VmdkFormat(() => new ZLibDeflater(), 2));

        Assert.That(await RunAsync("qemu-img", "compare", disk.Path, Image(disk)), Does.Contain("Images are identical."));
    }

    [Test]
    public async Task An_empty_disk_has_no_grain([Values(512, Grain, GiB)] long size)
    {
        using var disk = new SampleDisk(size);
        await WriteAsync(disk, new VmdkFormat());

        Assert.That(new VmdkStreamReader(await File.ReadAllBytesAsync(Image(disk), Cancellation)).Read(), Is.Empty);
        Assert.That(await RunAsync("qemu-img", "compare", disk.Path, Image(disk)), Does.Contain("Images are identical."));
    }

    [Test]
    public async Task A_grain_table_without_grains_is_absent()
    {
        using var disk = new SampleDisk(GiB, new Piece(0, 512), new Piece(GiB - 512, 512), new Piece(GiB / 2, 8 * Grain, PieceKind.Zeros));
        await WriteAsync(disk, new VmdkFormat());

        // 128 sectors before the grains, two of one sector with a table (1 + 4) each, directory (1 + 1), footer (1 + 1), end.
        Assert.That(new FileInfo(Image(disk)).Length, Is.EqualTo((128 + (2 * (1 + 5)) + 2 + 2 + 1) * 512));
    }

    [TestCase(200)]
    [TestCase(2048)]
    public async Task A_huge_sparse_disk_is_a_small_image(int gibibytes)
    {
        var size = gibibytes * GiB;
        using var disk = new SampleDisk(size, new Piece(0, 512), new Piece((4 * GiB) - 256, 512), new Piece(size / 2, Grain, PieceKind.Noise), new Piece(size - 512, 512));
        await WriteAsync(disk, new VmdkFormat());

        // The head and a directory of 4 bytes for each 32 MiB.
        Assert.That(new FileInfo(Image(disk)).Length, Is.LessThan((gibibytes * 128) + (200 * 1024)));
        Assert.That(new VmdkStreamReader(await File.ReadAllBytesAsync(Image(disk), Cancellation)).Read(), Has.Count.EqualTo(5));
        foreach (var offset in new[] { 0, (4 * GiB) - 512, size / 2, size - 512 })
        {
            Assert.That(await SectorAsync("vmdk", Image(disk), offset), Is.EqualTo(await SectorAsync("raw", disk.Path, offset)).And.Not.Empty, $"at {offset}");
        }
    }

    [Test]
    public void Any_disk_is_read_back_as_it_was()
    {
        var kinds = Gen.Elements(PieceKind.Zeros, PieceKind.Text, PieceKind.Noise);
        // Some are close together, others beyond where a table, 2 GiB, and 4 GiB end.
        var offsets = Gen.OneOf(
            Gen.Choose(0, 1 << 20).Select(offset => (long)offset),
            Gen.Zip(Gen.Choose(0, 20), Gen.Choose(0, 2 * Grain)).Select(drawn => (drawn.Item1 * (16L << 20)) + drawn.Item2),
            Gen.Zip(Gen.Choose(0, 20), Gen.Choose(0, 2 * Grain)).Select(drawn => (drawn.Item1 * (256L << 20)) + drawn.Item2));
        var lengths = Gen.OneOf(Gen.Choose(1, 600), Gen.Choose(1, 4 * Grain));
        var pieces = Gen.Zip(Gen.Zip(offsets, lengths), Gen.Elements(PieceKind.Zeros, PieceKind.Text, PieceKind.Noise))
            .Select(drawn => new Piece(drawn.Item1.Item1, drawn.Item1.Item2, drawn.Item2)).ListOf();

        Check.One(Config.QuickThrowOnFailure.WithMaxTest(60), Prop.ForAll(Arb.From(Gen.Zip(pieces, Gen.Choose(1, 300))), async drawn =>
        {
            var (parts, behind) = drawn;
            var size = ((parts.Select(piece => piece.Offset + piece.Length).Append(0).Max() / 512) + behind) * 512;
            using var disk = new SampleDisk(size, [.. parts]);
            await WriteAsync(disk, new VmdkFormat());

            using var raw = File.OpenHandle(disk.Path);
            var expected = new byte[Grain];
            foreach (var (index, grain) in new VmdkStreamReader(await File.ReadAllBytesAsync(Image(disk), Cancellation)).Read())
            {
                expected.AsSpan(RandomAccess.Read(raw, expected, index * Grain)..).Clear();
                Assert.That(grain.AsSpan().SequenceEqual(expected), Is.True, $"grain {index}");
            }

            // What isn't in the stream must be zeros; qemu-img sees that, and takes long only for large disks.
            if (size < GiB)
            {
                Assert.That(await RunAsync("qemu-img", "compare", disk.Path, Image(disk)), Does.Contain("Images are identical."));
            }
        }));
    }

    [Test]
    public async Task Progress_only_grows_and_ends_at_one()
    {
        using var disk = new SampleDisk(MixedSize, Mixed);
        var seen = new List<double>();

        await new VmdkFormat().WriteAsync(disk.Request(Image(disk), seen.Add), Cancellation);

        Assert.That(seen, Is.Ordered.And.All.InRange(0, 1));
        Assert.That(seen[^1], Is.EqualTo(1));
    }

    private static string Image(SampleDisk disk) => disk.FileFor("disk.vmdk");

    // The fourth word of the content's hash, without the bit that VMware's own values have.
    private static string ContentId(SampleDisk disk) => (Convert.ToUInt32(disk.Installed.Content[24..32], 16) & 0x7fffffff).ToString("x8");

    private static async Task<string?> WriteAsync(SampleDisk disk, VmdkFormat format) =>
        (await format.WriteAsync(disk.Request(Image(disk)), Cancellation)).Sha256;

    // A sector as a hex dump, without the line that says how long reading it took.
    private static async Task<IEnumerable<string>> SectorAsync(string driver, string path, long offset) =>
        (await RunAsync("qemu-io", "-r", "-f", driver, "-c", $"read -v {offset} 512", path)).Split('\n').Where(line => line.Contains(":  ")).ToList();

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of(program, arguments), Cancellation)).Output;
}
