using Crust.Disks;

namespace Crust.Tests.Disks;

public sealed class DiskProofTests
{
    private const int DiskSectors = 64 << 11;

    private DiskFile _disk = null!;

    [SetUp]
    public void SetUp() => _disk = new DiskFile().Of(64);

    [TearDown]
    public void TearDown() => _disk.Dispose();

    [Test]
    public void A_disk_with_data_in_a_partition_is_installed()
    {
        _disk.With(DiskBytes.Gpt(DiskSectors, (2048, 4095), (65536, 131000))).WithDataAt(40);

        Assert.That(DiskProof.Check(_disk.Path).Partitions, Has.Count.EqualTo(2));
    }

    [Test]
    public void A_disk_that_nobody_wrote_to_is_not_installed() =>
        CheckFails("it left no partition table on the disk");

    [Test]
    public void Data_without_a_partition_table_is_not_installed()
    {
        _disk.WithDataAt(0, 40);

        CheckFails("it left no partition table on the disk");
    }

    [Test]
    public void Partitions_without_data_are_not_installed([Values] bool gpt)
    {
        _disk.With(gpt ? DiskBytes.Gpt(DiskSectors, (2048, 4095)) : DiskBytes.Mbr((0x83, 2048, 2048)));

        CheckFails("it left partitions but no data in them");
    }

    [Test]
    public void Data_beside_the_partitions_does_not_count()
    {
        // The partition is the MiB from 2 to 3; data lies right before and right behind it.
        _disk.With(DiskBytes.Gpt(DiskSectors, (2 * 2048, (3 * 2048) - 1))).WithDataAt(1, 3);

        CheckFails("it left partitions but no data in them");
    }

    private void CheckFails(string seen)
    {
        var error = Assert.Throws<CrustException>(() => DiskProof.Check(_disk.Path))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.GuestFailed));
        Assert.That(error.What, Is.EqualTo($"The installer powered off without having installed anything: {seen}"));
        Assert.That(error.Where, Is.EqualTo(_disk.Path));
        Assert.That(error.Remedy, Does.Contain("read the serial log"));
    }
}
