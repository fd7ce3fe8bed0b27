using Crust.Disks;
using Crust.Storage;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Disks;

/// <summary>Judged by sgdisk, which made the tables.</summary>
[CancelAfter(60_000)]
public sealed class GptGrowthTests
{
    private const long MiB = 1 << 20;

    private string _disk = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _disk = Path.Combine(Directory.CreateTempSubdirectory("crust-test-").FullName, "disk.raw");

    [TearDown]
    public void TearDown() => Directory.Delete(Path.GetDirectoryName(_disk)!, recursive: true);

    [TestCase(64)]
    [TestCase(1 << 20, Description = "A TiB: the protective MBR says as much as it can")]
    [TestCase(4 << 20)]
    public async Task A_grown_disk_has_its_backup_at_its_end_and_partitions_as_before(int mebibytes)
    {
        await MakeAsync(32 * MiB);
        var before = await DumpAsync();
        Grow(mebibytes * MiB);

        Assert.That(Fit(), Is.Null);

        var told = await SgdiskAsync("-v", _disk);
        Assert.That(told, Does.Contain("No problems found"));
        Assert.That(await DumpAsync(), Is.EqualTo(before));
        // What sgdisk itself moves to the end is the same, byte for byte.
        var moved = _disk + ".moved";
        await MakeAsync(32 * MiB, moved);
        Grow(mebibytes * MiB, moved);
        await SgdiskAsync("-e", moved);
        Assert.That(TablesOf(_disk), Is.EqualTo(TablesOf(moved)));
    }

    [Test]
    public async Task No_trace_of_the_old_backup_stays()
    {
        await MakeAsync(32 * MiB);
        Grow(64 * MiB);

        Fit();

        var bytes = await File.ReadAllBytesAsync(_disk, Cancellation);
        Assert.That(bytes.AsSpan((int)(32 * MiB) - 512, 8).ToArray(), Is.All.Zero);
        Assert.That(bytes.AsSpan((int)(32 * MiB) - (33 * 512), 32 * 512).ToArray(), Is.All.Zero);
    }

    [Test]
    public async Task A_disk_that_did_not_grow_stays_as_it_is()
    {
        await MakeAsync(32 * MiB);
        var before = await File.ReadAllBytesAsync(_disk, Cancellation);

        Assert.That(Fit(), Is.Null);

        await SameBytes.AssertFileAsync(_disk, before, Cancellation);
    }

    [TestCase(512 + 40, "the checksum of its GPT's header is wrong")]
    [TestCase(1024 + 32, "the checksum of its GPT's entries is wrong")]
    [TestCase(512 + 12, "the checksum of its GPT's header is wrong")]
    public async Task A_damaged_table_is_left_alone_and_said(int damaged, string reason)
    {
        await MakeAsync(32 * MiB);
        Grow(64 * MiB);
        var bytes = await File.ReadAllBytesAsync(_disk, Cancellation);
        bytes[damaged] ^= 0x11;
        await File.WriteAllBytesAsync(_disk, bytes, Cancellation);

        Assert.That(Fit(), Is.EqualTo(reason));

        await SameBytes.AssertFileAsync(_disk, bytes, Cancellation);
    }

    [Test]
    public async Task An_MBR_alone_is_left_alone()
    {
        await File.WriteAllBytesAsync(_disk, [.. DiskBytes.Mbr((0x83, 2048, 4096)), .. new byte[8 * MiB]], Cancellation);
        var before = await File.ReadAllBytesAsync(_disk, Cancellation);

        Assert.That(Fit(), Is.Null);

        await SameBytes.AssertFileAsync(_disk, before, Cancellation);
    }

    private string? Fit()
    {
        using var file = File.OpenHandle(_disk, FileMode.Open, FileAccess.ReadWrite);
        return GptGrowth.Fit(file);
    }

    private Task<string> MakeAsync(long size, string? path = null)
    {
        Grow(size, path);
        return SgdiskAsync("-U", "11111111-2222-3333-4444-555555555555", "-n", "1:2048:+4M", "-t", "1:ef00", "-u", "1:11111111-2222-3333-4444-555555555556", "-n", "2:0:+8M",
            "-c", "2:root", "-u", "2:11111111-2222-3333-4444-555555555557", path ?? _disk);
    }

    private void Grow(long size, string? path = null)
    {
        using var file = File.OpenHandle(path ?? _disk, FileMode.OpenOrCreate, FileAccess.ReadWrite);
        RandomAccess.SetLength(file, size);
    }

    // Without the sizes, which are what changes.
    private async Task<string[]> DumpAsync() => [.. (await RunAsync("sfdisk", "-d", _disk)).Split('\n').Where(line => line.Contains("start=", StringComparison.Ordinal))];

    // The headers and the entries at the disk's start and at its end.
    private static byte[] TablesOf(string path)
    {
        using var disk = File.OpenHandle(path);
        return [.. disk.ReadUpTo(512L, 33 * 512), .. disk.ReadUpTo(RandomAccess.GetLength(disk) - (33 * 512), 33 * 512)];
    }

    private static Task<string> SgdiskAsync(params string[] arguments) => RunAsync("sgdisk", arguments);

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await new ToolBox(["/usr/sbin", "/sbin", "/usr/bin", "/bin"], Logger.None).RunAsync(ToolCommand.Of(program, arguments), Cancellation)).Output;
}
