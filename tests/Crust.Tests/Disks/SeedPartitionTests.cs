using Crust.Disks;
using Crust.Seeds.Volumes;
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
    public void A_disk_without_partitions_has_none_and_gets_none()
    {
        Assert.That(Find(), Is.Null);
        Assert.That(() => Add(Most), Throws.TypeOf<InvalidDataException>().With.Message.Contains("no partition table"));
    }

    [Test]
    public async Task In_an_mbr_it_is_an_empty_fat_behind_the_first_mib_and_the_last_partition_can_grow()
    {
        // As a Raspberry Pi's card has it.
        await SfdiskAsync("label: dos\nlabel-id: 0xdeadbeef\nstart=16384, size=8192, type=c\nstart=24576, type=83\n");

        var place = Add(960 * KiB);

        Assert.That(place, Is.EqualTo(new Partition(1 * MiB, 960 * KiB)));
        Assert.That(Find(), Is.EqualTo(place));
        var dump = await RunAsync("sfdisk", "--dump", _disk.Path);
        Assert.That(dump, Does.Contain("3 : start=        2048, size=        1920, type=da").And.Contain("2 : start=       24576").And.Contain("label-id: 0xdeadbeef"));
        Assert.That(await RunAsync("sfdisk", "--verify", _disk.Path), Does.Contain("No errors detected"));
        Assert.That(await RunAsync("blkid", "-p", "-O", "1048576", "-s", "LABEL", "-o", "value", _disk.Path), Is.EqualTo("CRUST-SEED\n"));
        Assert.That(() => Add(960 * KiB), Throws.TypeOf<InvalidDataException>().With.Message.Contains("already"));
    }

    [TestCase("start=2048, size=4096, type=83\nstart=6144, type=83\n", 4 * KiB, Description = "before the first MiB where nothing else is free")]
    [TestCase("start=2048, size=4096, type=83\n", (32 * MiB) - (960 * KiB), Description = "at the end")]
    public async Task Where_an_mbr_leaves_room_for_it(string partitions, long offset)
    {
        await SfdiskAsync($"label: dos\n{partitions}");

        Assert.That(Add(960 * KiB).Offset, Is.EqualTo(offset));
    }

    [Test]
    public async Task A_boot_loader_behind_an_mbr_is_not_written_over()
    {
        await SfdiskAsync("label: dos\nstart=2048, type=83\n");
        _disk.With([1, 2, 3], 300 * KiB);

        Assert.That(() => Add(960 * KiB), Throws.TypeOf<InvalidDataException>().With.Message.Contains("no free space"));
    }

    [Test]
    public async Task An_mbr_whose_entries_are_all_in_use_gets_none()
    {
        await SfdiskAsync("label: dos\nstart=16384, size=2048, type=c\nstart=18432, size=2048\nstart=20480, size=2048\nstart=22528, size=2048\n");

        Assert.That(() => Add(960 * KiB), Throws.TypeOf<InvalidDataException>().With.Message.Contains("all four entries"));
    }

    private Partition Add(long size, string? path = null)
    {
        using var file = File.OpenHandle(path ?? _disk.Path, FileMode.Open, FileAccess.ReadWrite);
        return SeedPartition.Add(file, size, length => FatImage.Of(SeedPartition.MbrLabel, [], length));
    }

    private Task<string> SfdiskAsync(string script)
    {
        File.WriteAllText(_disk.Path + ".sfdisk", script);
        return RunAsync("sh", "-c", $"sfdisk --quiet {_disk.Path} <{_disk.Path}.sfdisk");
    }

    private static async Task<string> RunAsync(string program, params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of(program, arguments), TestContext.CurrentContext.CancellationToken)).Output;

    private Partition? Find()
    {
        using var file = File.OpenHandle(_disk.Path);
        return SeedPartition.Find((buffer, offset) => buffer[file.ReadUpTo(buffer, offset)..].Clear());
    }

    private Task<string> MakeAsync(params string[] partitions) => SgdiskAsync(["-U", "11111111-2222-3333-4444-555555555555", .. partitions, _disk.Path]);

    private static async Task<string> SgdiskAsync(params string[] arguments) =>
        (await SampleDisk.Tools.RunAsync(ToolCommand.Of("sgdisk", arguments), TestContext.CurrentContext.CancellationToken)).Output;
}
