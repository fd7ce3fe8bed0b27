using System.Text;
using Crust.Boards;
using Crust.Disks;
using Crust.Tests.Disks;

namespace Crust.Tests.Boards;

public sealed class DiskIdSitesTests
{
    private const int MiB = 1 << 20;
    private const int Size = 16 * MiB;
    private const int CommandLine = 3 * MiB;

    // Across the end of a piece that is read at once.
    private const int Fstab = (4 * MiB) - 12;

    private static readonly Extent[] All = [new Extent(0, Size)];

    private byte[] _disk = null!;

    [SetUp]
    public void SetUp()
    {
        _disk = new byte[Size];
        DiskBytes.Mbr((0x0c, 2048, 4096), (0x83, 6144, 16384)).CopyTo(_disk, 0);
        BitConverter.GetBytes(0xdeadbeef).CopyTo(_disk, 440);
    }

    [TestCase(false)]
    [TestCase(true, Description = "of a disk whose blocks are compressed each for itself")]
    public void All_places_that_name_a_partition_by_the_disks_id_are_found_and_get_the_other_one(bool inPieces)
    {
        Put(CommandLine, "console=tty0 root=PARTUUID=deadbeef-02 rw");
        Put(Fstab, "PARTUUID=DEADBEEF-02 / ext4\nPARTUUID=deadbeef-01 /boot/firmware vfat");
        Put(5 * MiB, "PARTUUID=12345678-01 deadbeef-01");

        var sites = Find(inPieces ? [new Extent(0, 4 * MiB), new Extent(4 * MiB, 4 * MiB), new Extent(8 * MiB, 4 * MiB)] : All)!;
        DiskPatch.Apply(sites.PatchesTo("0badcafe"), _disk, 0);

        Assert.That(sites.Id, Is.EqualTo("deadbeef"));
        Assert.That(sites.Offsets, Is.EqualTo(new[] { CommandLine + 27, Fstab + 9, Fstab + 37 }));
        Assert.That(Text(CommandLine, 41), Is.EqualTo("console=tty0 root=PARTUUID=0badcafe-02 rw"));
        Assert.That(Text(Fstab, 68), Is.EqualTo("PARTUUID=0badcafe-02 / ext4\nPARTUUID=0badcafe-01 /boot/firmware vfat"));
        Assert.That(Text(5 * MiB, 32), Is.EqualTo("PARTUUID=12345678-01 deadbeef-01"), "nobody's partition, and no name of one");
        Assert.That(Find(All)!.Id, Is.EqualTo("0badcafe"));
    }

    [Test]
    public void What_lies_where_the_disk_has_only_zeros_is_not_read()
    {
        Put(CommandLine, "root=PARTUUID=deadbeef-02");

        Assert.That(Find([new Extent(0, MiB), new Extent(8 * MiB, MiB)])!.Offsets, Is.Empty);
    }

    [Test]
    public void A_disk_without_an_id_in_an_mbr_has_none()
    {
        BitConverter.GetBytes(0).CopyTo(_disk, 440);
        Assert.That(Find(All), Is.Null);

        DiskBytes.Mbr((0xee, 1, 4096)).CopyTo(_disk, 0);
        Assert.That(Find(All), Is.Null);
    }

    [Test]
    public void Files_whose_file_system_has_checksums_of_them_are_not_changed()
    {
        Put(CommandLine + (2 * MiB), "root=PARTUUID=deadbeef-02");
        Put((3 * MiB) + 0x10040, "_BHRfS_M");

        var error = Assert.Throws<CrustException>(() => Find(All))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "edge.img")));
        Assert.That(error.Remedy, Does.Contain("/etc/fstab"));
    }

    [Test]
    public void Each_copy_has_an_id_of_its_own_and_always_the_same()
    {
        var ids = new[] { ("a", "node-1"), ("a", "node-2"), ("b", "node-1") }.Select(of => DiskIdSites.IdOf(of.Item1, of.Item2)).ToList();

        Assert.That(ids, Is.Unique.And.All.Match("^[0-9a-f]{8}$"));
        Assert.That(DiskIdSites.IdOf("a", "node-1"), Is.EqualTo(ids[0]));
    }

    [Test]
    public void Another_id_is_eight_hex_digits_and_not_0([Values("0", "00000000", "deadbeeg", "0xdeadbe")] string id) =>
        Assert.That(() => Find(All)!.PatchesTo(id), Throws.TypeOf<ArgumentException>());

    private DiskIdSites? Find(IEnumerable<Extent> extents) =>
        DiskIdSites.Find((buffer, offset) => _disk.AsSpan((int)offset, buffer.Length).CopyTo(buffer), extents, "edge.img", TestContext.CurrentContext.CancellationToken);

    private void Put(int offset, string text) => Encoding.ASCII.GetBytes(text).CopyTo(_disk, offset);

    private string Text(int offset, int length) => Encoding.ASCII.GetString(_disk, offset, length);
}
