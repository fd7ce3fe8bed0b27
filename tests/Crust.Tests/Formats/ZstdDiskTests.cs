using System.Security.Cryptography;
using Crust.Disks;
using Crust.Formats.Zstd;
using Crust.Tests.Disks;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Formats;

/// <summary>The stream is judged by the program zstd, which knows nothing of Crust.</summary>
[CancelAfter(300_000)]
public sealed class ZstdDiskTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public void The_stream_gives_the_whole_disk_and_the_table_finds_the_frame_of_each_range()
    {
        var pieces = Gen.Zip(Gen.Choose(0, 20 << 20), Gen.Choose(1, 300_000)).Select(piece => new Piece(piece.Item1, piece.Item2, PieceKind.Noise)).ListOf();
        Prop.ForAll(Gen.Zip(Gen.Choose(1, 40_000), pieces).ToArbitrary(), sample => CheckAsync(sample.Item1 * 512L, sample.Item2).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Test]
    public async Task The_bytes_do_not_depend_on_the_number_of_threads()
    {
        using var disk = new SampleDisk(64 << 20, new Piece(5, 9_000_000, PieceKind.Noise), new Piece(20 << 20, 30_000_000));

        var one = await WriteAsync(disk, "one", threads: 1);
        var eight = await WriteAsync(disk, "eight", threads: 8);

        Assert.That(eight, Is.EqualTo(one));
        await SameBytes.AssertFilesAsync(disk.FileFor("eight"), disk.FileFor("one"), Cancellation);
    }

    [Test]
    public async Task A_hole_costs_next_to_nothing_however_long_it_is()
    {
        using var disk = new SampleDisk(1L << 40, new Piece(0, 512), new Piece((1L << 40) - 512, 512));

        await WriteAsync(disk, "stream");

        Assert.That(new FileInfo(disk.FileFor("stream")).Length, Is.LessThan(34 << 20));
        Assert.That(SeekTable.Read(disk.FileFor("stream")).Sum(frame => (long)frame.ContentLength), Is.EqualTo(1L << 40));
        var listing = await SampleImages.RunAsync("zstd", "-lv", disk.FileFor("stream"));
        Assert.That(listing, Does.Contain("Skippable frames: 1").Or.Contain("# Skippable Frames: 1"));
    }

    [Test]
    public async Task A_disk_of_zeros_is_a_stream_of_zeros()
    {
        using var disk = new SampleDisk(10_000_384, new Piece(0, 10_000_384, PieceKind.Zeros));

        var sha256 = await WriteAsync(disk, "stream");

        Assert.That(sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(await BytesAsync(disk, "stream")))));
        await SameBytes.AssertFileAsync(disk.FileFor("disk.raw"), await UnpackAsync(disk, "stream"), Cancellation);
    }

    [Test]
    public async Task A_stream_is_unpacked_range_by_range_and_a_hole_of_it_takes_no_time()
    {
        using var disk = new SampleDisk((1L << 40) + 512, new Piece(100, 9_000_000, PieceKind.Noise), new Piece(1L << 39, 5_000_000), new Piece(1L << 40, 512));
        await WriteAsync(disk, "stream");
        var told = 0.0;

        await ZstdDiskReader.UnpackAsync(disk.FileFor("stream"), disk.Installed.Map, Empty(disk), done => told = done, Cancellation);

        Assert.That(await BlockMap.OfAsync(disk.FileFor("unpacked"), Cancellation), Is.EqualTo(disk.Installed.Map));
        Assert.That(SparseFile.AllocatedBytes(disk.FileFor("unpacked")), Is.LessThan(20 << 20));
        Assert.That(told, Is.EqualTo(1));
    }

    [TestCase(20_000, "a frame of its zstd stream is damaged")]
    [TestCase(-3, "has no table of its frames")]
    public async Task A_damaged_stream_is_refused(int place, string why)
    {
        using var disk = new SampleDisk(20 << 20, new Piece(0, 9_000_000, PieceKind.Noise));
        await WriteAsync(disk, "stream");
        await using (var stream = File.Open(disk.FileFor("stream"), FileMode.Open))
        {
            stream.Position = place < 0 ? stream.Length + place : place;
            var was = stream.ReadByte();
            stream.Position--;
            stream.WriteByte((byte)(was ^ 1));
        }

        var error = (await Assert.CatchAsync<InvalidDataException>(() => ZstdDiskReader.UnpackAsync(disk.FileFor("stream"), disk.Installed.Map, Empty(disk), _ => { }, Cancellation)))!;

        Assert.That(error.Message, Does.Contain(why));
    }

    [Test]
    public async Task A_stream_of_another_disk_is_refused()
    {
        using var disk = new SampleDisk(20 << 20, new Piece(0, 5000));
        using var other = new SampleDisk(20 << 20, new Piece(0, 5000, PieceKind.Noise));
        await WriteAsync(disk, "stream");

        var error = (await Assert.CatchAsync<InvalidDataException>(() => ZstdDiskReader.UnpackAsync(disk.FileFor("stream"), other.Installed.Map, Empty(disk), _ => { }, Cancellation)))!;

        Assert.That(error.Message, Is.EqualTo("the disk's range at 0 isn't what its map says"));
    }

    private static string Empty(SampleDisk disk)
    {
        var path = disk.FileFor("unpacked");
        DiskStore.CreateSparse(path, disk.Installed.Size, "");
        return path;
    }

    [Test]
    public void A_cancelled_stream_ends_at_once()
    {
        using var disk = new SampleDisk(64 << 20, new Piece(0, 64 << 20));
        using var cancelling = new CancellationTokenSource();

        Assert.That(async () => await ZstdDisk.WriteAsync(disk.Installed, disk.FileFor("stream"), 2, _ => cancelling.Cancel(), null, cancelling.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void A_stream_that_cannot_be_written_is_told()
    {
        using var disk = new SampleDisk(64 << 20, new Piece(0, 64 << 20));

        Assert.That(async () => await ZstdDisk.WriteAsync(disk.Installed, "/dev/full/stream", 2, _ => { }, null, Cancellation), Throws.InstanceOf<IOException>());
    }

    [TestCase(0)]
    [TestCase(5)]
    [TestCase(100)]
    public async Task A_stream_without_a_table_is_told(int length)
    {
        using var disk = new SampleDisk(512);
        await File.WriteAllBytesAsync(disk.FileFor("stream"), new byte[length], Cancellation);

        Assert.That(() => SeekTable.Read(disk.FileFor("stream")), Throws.InstanceOf<InvalidDataException>());
    }

    private static async Task CheckAsync(long size, IEnumerable<Piece> pieces)
    {
        using var disk = new SampleDisk(size, [.. pieces.Where(piece => piece.Offset + piece.Length <= size)]);
        await WriteAsync(disk, "stream");

        var content = await BytesAsync(disk, "disk.raw");
        Assert.That((await UnpackAsync(disk, "stream")).AsSpan().SequenceEqual(content));

        var stream = await BytesAsync(disk, "stream");
        var frames = SeekTable.Read(disk.FileFor("stream")).ToDictionary(frame => frame.ContentOffset);
        foreach (var range in disk.Installed.Map.Ranges)
        {
            var frame = frames[range.Offset];
            await File.WriteAllBytesAsync(disk.FileFor("frame"), stream[(int)frame.Offset..((int)frame.Offset + frame.Length)], Cancellation);
            Assert.That((await UnpackAsync(disk, "frame")).AsSpan().SequenceEqual(content.AsSpan((int)range.Offset, range.Length)));
        }
    }

    private static Task<string> WriteAsync(SampleDisk disk, string name, int threads = 2) =>
        ZstdDisk.WriteAsync(disk.Installed, disk.FileFor(name), threads, _ => { }, null, Cancellation);

    private static async Task<byte[]> UnpackAsync(SampleDisk disk, string name)
    {
        await SampleImages.RunAsync("zstd", "-dfq", disk.FileFor(name), "-o", disk.FileFor(name + ".out"));
        return await BytesAsync(disk, name + ".out");
    }

    private static Task<byte[]> BytesAsync(SampleDisk disk, string name) => File.ReadAllBytesAsync(disk.FileFor(name), Cancellation);
}
