using System.Text;
using Crust.Boards;
using Microsoft.Win32.SafeHandles;

namespace Crust.Tests.Boards;

public sealed class DiskIdSitesTests
{
    private const long Size = 8 << 20;
    private const long CommandLine = 3 << 20;

    // Across the end of a piece that is read at once.
    private const long Fstab = (1 << 20) - 12;

    private string _path = null!;

    [SetUp]
    public void SetUp() => _path = Path.GetTempFileName();

    [TearDown]
    public void TearDown() => File.Delete(_path);

    [Test]
    public void All_places_that_name_a_partition_by_the_disks_id_are_found_and_get_the_other_one()
    {
        using var disk = Disk(0xdeadbeef);
        Put(disk, CommandLine, "console=tty0 root=PARTUUID=deadbeef-02 rw");
        Put(disk, Fstab, "PARTUUID=DEADBEEF-02 / ext4\nPARTUUID=deadbeef-01 /boot/firmware vfat");
        Put(disk, 5 << 20, "PARTUUID=12345678-01 deadbeef-01");

        var sites = DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken);
        sites.Write(disk, "0badcafe", "edge.img");

        Assert.That(sites.Id, Is.EqualTo("deadbeef"));
        Assert.That(sites.Offsets, Is.EqualTo(new[] { Fstab + 9, Fstab + 37, CommandLine + 27 }));
        Assert.That(Text(disk, CommandLine, 41), Is.EqualTo("console=tty0 root=PARTUUID=0badcafe-02 rw"));
        Assert.That(Text(disk, Fstab, 68), Is.EqualTo("PARTUUID=0badcafe-02 / ext4\nPARTUUID=0badcafe-01 /boot/firmware vfat"));
        Assert.That(Text(disk, 5 << 20, 32), Is.EqualTo("PARTUUID=12345678-01 deadbeef-01"), "nobody's partition, and no name of one");
        Assert.That(DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken).Id, Is.EqualTo("0badcafe"));
    }

    [Test]
    public void A_disk_that_was_written_to_since_stays_as_it_is()
    {
        using var disk = Disk(0xdeadbeef);
        Put(disk, CommandLine, "root=PARTUUID=deadbeef-02");
        var sites = DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken);
        Put(disk, CommandLine, "root=PARTUUID=12345678-02");

        Assert.That(() => sites.Write(disk, "0badcafe", "edge.img"), Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));
        Assert.That(DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken).Id, Is.EqualTo("deadbeef"));
    }

    [Test]
    public void A_disk_without_an_id_is_refused()
    {
        using var disk = Disk(0);

        Assert.That(() => DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.What)).EqualTo("The disk's MBR has no disk id"));
    }

    [Test]
    public void A_disk_without_an_mbr_is_refused()
    {
        using var disk = Disk(0xdeadbeef);
        RandomAccess.Write(disk, new byte[2], 510);

        Assert.That(() => DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken),
            Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.What)).Contains("partition table: none"));
    }

    [Test]
    public void Each_build_and_each_name_has_an_id_of_its_own()
    {
        var ids = new[] { ("a", "node-1"), ("a", "node-2"), ("b", "node-1") }.Select(of => DiskIdSites.IdOf(of.Item1, of.Item2)).ToList();

        Assert.That(ids, Is.Unique.And.All.Match(@"\A[0-9a-f]{8}\z"));
        Assert.That(DiskIdSites.IdOf("a", "node-1"), Is.EqualTo(ids[0]));
    }

    [TestCase("0badcaf")]
    [TestCase("00000000")]
    [TestCase("0badcafg")]
    public void What_can_be_no_id_is_refused(string id)
    {
        using var disk = Disk(0xdeadbeef);
        var sites = DiskIdSites.Find(disk, "edge.img", TestContext.CurrentContext.CancellationToken);

        Assert.That(() => sites.Write(disk, id, "edge.img"), Throws.ArgumentException);
    }

    // An MBR with one partition.
    private SafeFileHandle Disk(uint id)
    {
        var sector = new byte[512];
        BitConverter.TryWriteBytes(sector.AsSpan(DiskIdSites.MbrOffset), id);
        sector[446 + 4] = 0x0c;
        sector[446 + 9] = 0x40;
        sector[446 + 13] = 0x10;
        (sector[510], sector[511]) = (0x55, 0xaa);
        var disk = File.OpenHandle(_path, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.SetLength(disk, Size);
        RandomAccess.Write(disk, sector, 0);
        RandomAccess.Write(disk, new byte[2 << 20], 4096);
        return disk;
    }

    private static void Put(SafeFileHandle disk, long at, string text) => RandomAccess.Write(disk, Encoding.ASCII.GetBytes(text), at);

    private static string Text(SafeFileHandle disk, long at, int length)
    {
        var bytes = new byte[length];
        RandomAccess.Read(disk, bytes, at);
        return Encoding.ASCII.GetString(bytes);
    }
}
