using System.Security.Cryptography;
using Crust.Formats.Zstd;
using Crust.Spec;
using Crust.Tools;
using FsCheck;
using FsCheck.Fluent;
using Serilog.Core;

namespace Crust.Tests.Formats;

/// <summary>The stream is judged by the program zstd, which knows nothing of Crust.</summary>
public sealed class ZstdDiskTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    private string _folder = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-zstd-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void The_stream_gives_the_whole_disk_and_each_frame_its_range()
    {
        var extents = Gen.Zip(Gen.Choose(0, 20 << 20), Gen.Choose(0, 300_000)).ListOf();
        var disks = Gen.Zip(Gen.Choose(0, 40_000), extents);
        Prop.ForAll(disks.ToArbitrary(), disk => CheckAsync(disk.Item1 * 512L, disk.Item2).GetAwaiter().GetResult())
            .Check(Config.QuickThrowOnFailure.WithMaxTest(25));
    }

    [Test]
    public async Task The_bytes_do_not_depend_on_the_number_of_threads()
    {
        var disk = MakeDisk(64 << 20, [(5, 9_000_000), (20 << 20, 30_000_000)]);

        await ZstdDisk.WriteAsync(disk, PathOf("one"), 1, _ => { }, Cancellation);
        await ZstdDisk.WriteAsync(disk, PathOf("eight"), 8, _ => { }, Cancellation);

        Assert.That(await File.ReadAllBytesAsync(PathOf("eight"), Cancellation), Is.EqualTo(await File.ReadAllBytesAsync(PathOf("one"), Cancellation)));
    }

    [Test]
    public async Task A_hole_costs_next_to_nothing_however_long_it_is()
    {
        var disk = MakeDisk(1L << 40, [(0, 512), ((1L << 40) - 512, 512)]);

        var map = await ZstdDisk.WriteAsync(disk, PathOf("stream"), 2, _ => { }, Cancellation);

        Assert.That(map.Ranges.Select(range => (range.Offset, range.Length)), Is.EqualTo(new[] { (0L, 4096), ((1L << 40) - 4096, 4096) }));
        Assert.That(new FileInfo(PathOf("stream")).Length, Is.LessThan(34 << 20));
        var listing = (await Tools.RunAsync(ToolCommand.Of("zstd", "-lv", PathOf("stream")), Cancellation)).Output;
        Assert.That(listing, Does.Contain($"({1L << 40} B)"));
    }

    [Test]
    public async Task A_disk_of_zeros_has_no_range()
    {
        var disk = PathOf("zeros");
        await File.WriteAllBytesAsync(disk, new byte[10_000_384], Cancellation);

        var map = await ZstdDisk.WriteAsync(disk, PathOf("stream"), 2, _ => { }, Cancellation);

        Assert.That(map.ToText(), Is.EqualTo("size 10000384\ndata 0\n"));
        Assert.That(map.StreamSha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(PathOf("stream"), Cancellation)))));
        Assert.That(await UnpackAsync("stream"), Is.EqualTo(await File.ReadAllBytesAsync(disk, Cancellation)));
    }

    [Test]
    public void The_map_is_text_that_a_shell_can_read() =>
        Assert.That(new ZstdMap(100, [new(0, 10, 0, 7, "ab"), new(50, 20, 30, 9, "cd")]) { StreamSha256 = "ef" }.ToText(), Is.EqualTo("""
            size 100
            data 30
            range 0 10 0 7 ab
            range 50 20 30 9 cd

            """));

    [Test]
    public void A_cancelled_stream_ends_at_once()
    {
        var disk = MakeDisk(64 << 20, [(0, 64 << 20)]);
        using var cancelling = new CancellationTokenSource();

        Assert.That(async () => await ZstdDisk.WriteAsync(disk, PathOf("stream"), 2, _ => cancelling.Cancel(), cancelling.Token),
            Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public void A_stream_that_cannot_be_written_is_told() =>
        Assert.That(async () => await ZstdDisk.WriteAsync(MakeDisk(64 << 20, [(0, 64 << 20)]), "/dev/full/stream", 2, _ => { }, Cancellation),
            Throws.InstanceOf<IOException>());

    private async Task CheckAsync(long size, IEnumerable<(int Offset, int Length)> extents)
    {
        var disk = MakeDisk(size, extents.Select(extent => ((long)extent.Offset, extent.Length)));
        File.Delete(PathOf("stream"));
        var map = await ZstdDisk.WriteAsync(disk, PathOf("stream"), 2, _ => { }, Cancellation);

        var content = await File.ReadAllBytesAsync(disk, Cancellation);
        if (size > 0)
        {
            Assert.That((await UnpackAsync("stream")).AsSpan().SequenceEqual(content));
        }

        var stream = await File.ReadAllBytesAsync(PathOf("stream"), Cancellation);
        foreach (var range in map.Ranges)
        {
            await File.WriteAllBytesAsync(PathOf("frame"), stream[(int)range.FrameOffset..((int)range.FrameOffset + range.FrameLength)], Cancellation);
            var data = content.AsSpan((int)range.Offset, range.Length).ToArray();
            Assert.That((await UnpackAsync("frame")).AsSpan().SequenceEqual(data));
            Assert.That(range.Sha256, Is.EqualTo(Convert.ToHexStringLower(SHA256.HashData(data))));
            Assert.That(range.Offset / ZstdDisk.Slot, Is.EqualTo((range.Offset + range.Length - 1) / ZstdDisk.Slot));
            content.AsSpan((int)range.Offset, range.Length).Clear();
        }

        Assert.That(content.AsSpan().ContainsAnyExcept((byte)0), Is.False, "what no range covers is zeros");
    }

    private async Task<byte[]> UnpackAsync(string name)
    {
        var output = PathOf(name + ".out");
        await Tools.RunAsync(ToolCommand.Of("zstd", "-dfq", PathOf(name), "-o", output), Cancellation);
        return await File.ReadAllBytesAsync(output, Cancellation);
    }

    private string MakeDisk(long size, IEnumerable<(long Offset, int Length)> extents)
    {
        var random = new Random(7);
        using var disk = File.OpenHandle(PathOf("disk"), FileMode.Create, FileAccess.Write);
        RandomAccess.SetLength(disk, size);
        foreach (var (offset, length) in extents.Where(extent => extent.Offset + extent.Length <= size))
        {
            var data = new byte[length];
            random.NextBytes(data);
            RandomAccess.Write(disk, data, offset);
        }

        return PathOf("disk");
    }

    private string PathOf(string name) => Path.Combine(_folder, name);
}
