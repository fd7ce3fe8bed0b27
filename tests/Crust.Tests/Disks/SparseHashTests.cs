using Crust.Disks;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Disks;

public sealed class SparseHashTests
{
    private DiskFile _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new DiskFile();

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [TestCase(0, TestName = "The_hash_is_that_of_sha256sum(an empty file)")]
    [TestCase(3, TestName = "The_hash_is_that_of_sha256sum(one hole)")]
    [TestCase(3, 0, 1, 2, TestName = "The_hash_is_that_of_sha256sum(no hole)")]
    [TestCase(20, 1, 2, 17, TestName = "The_hash_is_that_of_sha256sum(holes before, between and behind)")]
    [TestCase(9, 0, 8, TestName = "The_hash_is_that_of_sha256sum(a hole between)")]
    public async Task The_hash_is_that_of_sha256sum(int mebibytes, params int[] data) =>
        await CheckAsync(_disk.Of(mebibytes).WithDataAt(data));

    [Test]
    public async Task A_file_whose_end_is_on_no_blocks_boundary_is_hashed_to_its_end() =>
        await CheckAsync(_disk.Of(5).With([1, 2, 3], (5 << 20) + 12345));

    [Test]
    public void Hashing_can_be_cancelled() =>
        Assert.That(async () => await SparseHash.ComputeAsync(_disk.Of(1).Path, new CancellationToken(canceled: true)), Throws.InstanceOf<OperationCanceledException>());

    private static async Task CheckAsync(DiskFile disk)
    {
        var result = await new ToolBox(HostEnvironment.Read().SearchPath, Logger.None).RunAsync(ToolCommand.Of("sha256sum", disk.Path), CancellationToken.None);

        Assert.That(await SparseHash.ComputeAsync(disk.Path, CancellationToken.None), Is.EqualTo(result.Output[..64]));
    }
}
