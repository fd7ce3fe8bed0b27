using Crust.Disks;
using Crust.Tools;

namespace Crust.Tests.Disks;

/// <summary>Judged by sgdisk.</summary>
[CancelAfter(60_000)]
public sealed class GptAdditionTests
{
    private const long MiB = 1 << 20;

    private string _disk = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp()
    {
        _disk = Path.Combine(Directory.CreateTempSubdirectory("crust-test-").FullName, "disk.raw");
        using var disk = File.OpenHandle(_disk, FileMode.CreateNew, FileAccess.Write);
        RandomAccess.SetLength(disk, 16 * MiB);
    }

    [TearDown]
    public void TearDown() => Directory.Delete(Path.GetDirectoryName(_disk)!, recursive: true);

    [Test]
    public async Task A_partition_lies_behind_the_others_which_stay_what_they_are()
    {
        await SgdiskAsync("-n", "1:2048:+4M", "-t", "1:ef00", "-c", "1:efi", "-n", "2:0:0", _disk);
        var before = await SgdiskAsync("-i", "1", _disk) + await SgdiskAsync("-i", "2", _disk);

        var (offset, problem) = Add(8 * MiB);

        Assert.That((offset, problem), Is.EqualTo((16 * MiB, (string?)null)));
        Assert.That(await SgdiskAsync("-v", _disk), Does.Contain("No problems found"));
        Assert.That(await SgdiskAsync("-i", "1", _disk) + await SgdiskAsync("-i", "2", _disk), Is.EqualTo(before));
        Assert.That(await SgdiskAsync("-i", "3", _disk), Does.Contain("Partition name: 'COS_CONTENT'").And.Contain("First sector: 32768")
            .And.Contain("Partition size: 16384 sectors").And.Contain("0FC63DAF-8483-4772-8E79-3D69D8477DE4"));
        Assert.That(new FileInfo(_disk).Length, Is.EqualTo(25 * MiB));
    }

    [Test]
    public async Task An_entry_whose_sectors_make_no_sense_is_not_taken_for_a_free_one()
    {
        await SgdiskAsync("-n", "1:2048:+4M", _disk);
        GptTable broken;
        using (var disk = File.OpenHandle(_disk, FileMode.Open, FileAccess.ReadWrite))
        {
            broken = GptTable.Read(disk)!.With(new Guid("0FC63DAF-8483-4772-8E79-3D69D8477DE4"), Guid.NewGuid(), new Partition(8 * MiB, -MiB), "broken");
            broken.Write(disk);
        }

        Assert.That(Add(MiB).Problem, Is.Null);

        Assert.That(await SgdiskAsync("-i", "2", _disk), Does.Contain("Partition name: 'broken'"));
        Assert.That(await SgdiskAsync("-i", "3", _disk), Does.Contain("Partition name: 'COS_CONTENT'"));
    }

    [Test]
    public void A_disk_without_a_table_gets_none() => Assert.That(Add(MiB).Problem, Is.EqualTo("it has no GPT"));

    private (long Offset, string? Problem) Add(long length)
    {
        using var disk = File.OpenHandle(_disk, FileMode.Open, FileAccess.ReadWrite);
        return GptAddition.Add(disk, length, "COS_CONTENT");
    }

    private static async Task<string> SgdiskAsync(params string[] arguments) => (await SampleDisk.Tools.RunAsync(ToolCommand.Of("sgdisk", arguments), Cancellation)).Output;
}
