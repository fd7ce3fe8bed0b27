using Crust.Disks;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Tests.Disks;

/// <summary>Judged by sgdisk.</summary>
[CancelAfter(60_000)]
public sealed class SeedPartitionTests
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;
    private const int Most = 1004 * KiB;

    private DiskFile _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new DiskFile().Of(32);

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [Test]
    public async Task It_lies_before_the_first_partition_so_that_the_last_one_can_grow()
    {
        await MakeAsync("-n", "1:2048:+4M", "-n", "2:0:0");

        var place = Add(960 * KiB);

        Assert.That(place, Is.EqualTo(new Partition(20 * KiB, 960 * KiB)));
        Assert.That(await SgdiskAsync("-v", _disk.Path), Does.Contain("No problems found"));
        Assert.That(await SgdiskAsync("-p", _disk.Path), Does.Contain(SeedPartition.Name));
        Assert.That(Find(), Is.EqualTo(place));
    }

    [Test]
    public async Task What_is_in_a_gap_is_not_written_over()
    {
        await MakeAsync("-n", "1:2048:+4M", "-n", "2:14336:0");
        _disk.With([1, 2, 3], 300 * KiB);

        Assert.That(Add(512 * KiB).Offset, Is.EqualTo(5 * MiB));
    }

    [Test]
    public async Task Without_such_a_gap_it_is_at_the_end_of_the_disk()
    {
        await MakeAsync("-n", "1:2048:+4M");

        var place = Add(2 * MiB);

        Assert.That(place.Offset + place.Length, Is.GreaterThan((32L * MiB) - (64 * KiB)).And.LessThan(32L * MiB));
        Assert.That(await SgdiskAsync("-v", _disk.Path), Does.Contain("No problems found"));
    }

    [Test]
    public async Task A_disk_without_room_is_told()
    {
        await MakeAsync("-n", "1:2048:0");

        Assert.That(() => Add(Most + (4 * KiB)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("no free space"));
    }

    [Test]
    public async Task The_same_disk_gets_the_same_bytes()
    {
        await MakeAsync("-n", "1:2048:0");
        var copy = _disk.Path + ".copy";
        File.Copy(_disk.Path, copy);
        Add(Most);
        Add(Most, copy);

        await SameBytes.AssertFilesAsync(_disk.Path, copy, TestContext.CurrentContext.CancellationToken);
    }

    [Test]
    public void A_disk_without_a_GPT_has_none_and_gets_none()
    {
        _disk.With(DiskBytes.Mbr((0x83, 2048, 4096)));

        Assert.That(Find(), Is.Null);
        Assert.That(() => Add(Most), Throws.TypeOf<InvalidDataException>());
    }

    private Partition Add(long size, string? path = null)
    {
        using var file = File.OpenHandle(path ?? _disk.Path, FileMode.Open, FileAccess.ReadWrite);
        return SeedPartition.Add(file, size);
    }

    private Partition? Find()
    {
        using var file = File.OpenHandle(_disk.Path);
        return SeedPartition.Find((buffer, offset) => buffer[file.ReadUpTo(buffer, offset)..].Clear());
    }

    private Task<string> MakeAsync(params string[] partitions) => SgdiskAsync(["-U", "11111111-2222-3333-4444-555555555555", .. partitions, _disk.Path]);

    private static async Task<string> SgdiskAsync(params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of("sgdisk", arguments), TestContext.CurrentContext.CancellationToken)).Output;
}
