using System.Buffers.Binary;
using Crust.Isos;
using Crust.Tests.Installers;
using FsCheck;
using FsCheck.Fluent;

namespace Crust.Tests.Isos;

public sealed class IsoInspectorTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private string FileWith(byte[] bytes)
    {
        var path = Path.Combine(_folder, "x.iso");
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private IsoFacts Inspect(byte[] bytes) => IsoInspector.Inspect(FileWith(bytes), "x.iso");

    private CrustException? Failure(byte[] bytes) => Assert.Throws<CrustException>(() => Inspect(bytes));

    [Test]
    public void An_ISO_s_volume_id_and_sizes_are_read()
    {
        var iso = IsoBytes.With("EDGE_INSTALLER", 0x00);

        Assert.That(Inspect([.. iso, .. new byte[1000]]), Is.EqualTo(new IsoFacts("EDGE_INSTALLER", true, false, iso.Length, iso.Length + 1000)));
    }

    [TestCase(new byte[] { 0x00 }, true, false)]
    [TestCase(new byte[] { 0xef }, false, true)]
    [TestCase(new byte[] { 0x00, 0xef }, true, true)]
    [TestCase(new byte[] { 0xef, 0x01, 0x00 }, true, true)]
    public void An_ISO_boots_what_its_El_Torito_catalog_lists(byte[] platforms, bool bios, bool uefi)
    {
        var facts = Inspect(IsoBytes.With("X", platforms));

        Assert.That((facts.BootsBios, facts.BootsUefi), Is.EqualTo((bios, uefi)));
    }

    [Test]
    public void An_entry_that_is_marked_as_not_bootable_does_not_count()
    {
        var iso = IsoBytes.With("X", 0x00, 0xef);
        IsoBytes.Catalog(iso)[32] = 0;

        Assert.That(Inspect(iso).BootsBios, Is.False);
    }

    [Test]
    public void A_missing_ISO_is_bad_input()
    {
        var error = Assert.Throws<CrustException>(() => IsoInspector.Inspect(Path.Combine(_folder, "none.iso"), "none.iso"));

        Assert.That(error, Is.Not.Null);
        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, "There is no such ISO", "none.iso")));
        Assert.That(error.Remedy, Does.Contain("ISO_URL"));
    }

    [Test]
    public void A_folder_is_bad_input()
    {
        var error = Assert.Throws<CrustException>(() => IsoInspector.Inspect(_folder, "iso/"));

        Assert.That((error!.Kind, error.What, error.Where, error.Remedy),
            Is.EqualTo((FailureKind.BadInput, "This is a folder, not an ISO", "iso/", "name the ISO file in it")));
    }

    [Test]
    public void A_file_that_is_no_ISO_9660_is_bad_input([Values(1, 40000, 100000)] int length)
    {
        var error = Failure([.. Enumerable.Repeat((byte)'x', length)]);

        Assert.That((error!.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, "This is no ISO 9660 image: it has no primary volume descriptor", "x.iso")));
        Assert.That(error.Remedy, Does.StartWith("name the installer's ISO file"));
    }

    [Test]
    public void An_empty_file_is_bad_input()
    {
        Assert.That(Failure([])!.What, Is.EqualTo("The file is empty"));
    }

    [Test]
    public void An_ISO_without_a_boot_record_is_bad_input()
    {
        var error = Failure(IsoBytes.With("DATA"));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.BadInput, "The ISO isn't bootable: it has no El Torito boot record")));
        Assert.That(error.Remedy, Does.Contain("bootable ISO"));
    }

    [Test]
    public void An_ISO_whose_catalog_is_damaged_or_holds_nothing_for_a_PC_is_bad_input()
    {
        var damaged = IsoBytes.With("X", 0x00);
        IsoBytes.Catalog(damaged)[5]++;

        Assert.That(Failure(damaged)!.What, Is.EqualTo("The ISO isn't bootable: it has no boot image for a PC in its El Torito catalog"));
        Assert.That(Failure(IsoBytes.With("POWERPC", 0x01))!.What, Does.StartWith("The ISO isn't bootable"));
    }

    [Test]
    public void An_ISO_that_is_shorter_than_it_says_is_bad_input()
    {
        var iso = IsoBytes.With("X", 0x00);

        var error = Failure(iso[..^1]);

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.BadInput, $"The ISO is cut off: it has {iso.Length - 1} of at least {iso.Length} bytes, 1 bytes are missing")));
        Assert.That(error.Remedy, Does.Contain("checksum"));
    }

    [Test]
    public void An_ISO_whose_appended_boot_image_is_cut_off_is_bad_input()
    {
        var iso = IsoBytes.With("X", 0xef);
        BinaryPrimitives.WriteUInt32LittleEndian(IsoBytes.Catalog(iso)[40..], 50);

        Assert.That(Failure(iso)!.What, Does.StartWith("The ISO is cut off"));
    }

    [Test]
    public void Whatever_is_in_a_file_only_a_CrustException_is_thrown()
    {
        // Random bytes alone never get past the first check; so an ISO is made, and some of what matters is overwritten.
        var places = Gen.OneOf(Gen.Choose(16 * 2048, 19 * 2048), Gen.Choose(20 * 2048, (20 * 2048) + 256));
        var changes = Gen.Zip(places, Gen.Choose(0, 255)).ListOf();
        var cuts = Gen.Choose(0, 40 * 2048);

        Prop.ForAll(Arb.From(Gen.Zip(changes, cuts)), drawn =>
        {
            var iso = IsoBytes.With("X", 0x00, 0xef);
            foreach (var (place, value) in drawn.Item1)
            {
                iso[place] = (byte)value;
            }

            return OnlyCrustExceptions(iso) && OnlyCrustExceptions(iso[..drawn.Item2]);
        }).QuickCheckThrowOnFailure();
    }

    private bool OnlyCrustExceptions(byte[] bytes)
    {
        try
        {
            Inspect(bytes);
        }
        catch (CrustException)
        {
            // One of its errors, as it should be.
        }

        return true;
    }
}
