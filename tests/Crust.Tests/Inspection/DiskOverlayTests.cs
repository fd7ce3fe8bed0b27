using Crust.Disks;
using Crust.Inspection;
using Serilog.Core;

namespace Crust.Tests.Inspection;

public sealed class DiskOverlayTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-overlay-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    // As qemu-img 7.2 prints them: a line for each range, the first behind '[', the last before ']'.
    [TestCase("""[{ "start": 0, "length": 65536, "depth": 1, "present": true, "zero": false, "data": true, "offset": 0},""", TestName = "Data of the disk itself is no change")]
    [TestCase("""{ "start": 65536, "length": 65536, "depth": 1, "present": true, "zero": true, "data": false, "offset": 65536},""", TestName = "A hole of the disk is no change")]
    [TestCase("", TestName = "An empty line is no change")]
    [TestCase("]", TestName = "The end of the list is no change")]
    [TestCase("qemu-img: warning: something", TestName = "What qemu-img says beside is no change")]
    public void Nothing_has_changed(string line) => Assert.That(DiskOverlay.ReadChange(line), Is.Empty);

    [Test]
    public void What_was_discarded_is_the_overlays_own_zeros() =>
        Assert.That(DiskOverlay.ReadChange("""{ "start": 147456, "length": 32768, "depth": 0, "present": true, "zero": true, "data": false}]"""),
            Is.EqualTo(new[] { new OverlayChange(new Extent(147456, 32768), null) }));

    [Test]
    public void What_was_written_is_in_the_overlays_file() =>
        Assert.That(DiskOverlay.ReadChange("""{ "start": 131072, "length": 16384, "depth": 0, "present": true, "zero": false, "data": true, "offset": 327680},"""),
            Is.EqualTo(new[] { new OverlayChange(new Extent(131072, 16384), 327680) }));

    [Test]
    public void Discarding_leaves_what_was_written_where_it_was_and_taking_over_brings_it()
    {
        var (disk, file) = (Path.Combine(_folder, "disk"), Path.Combine(_folder, "overlay"));
        File.WriteAllBytes(disk, [.. Enumerable.Repeat((byte)'a', 3 * 65536)]);
        File.WriteAllBytes(file, [.. new byte[4096], .. Enumerable.Repeat((byte)'b', 65536)]);
        OverlayChange[] changes = [new(new Extent(0, 65536), null), new(new Extent(131072, 65536), 4096)];

        var freed = DiskOverlay.Discard(disk, changes);
        var discarded = Letters(disk);
        using (var overlay = new DiskOverlay(file, new Crust.Tools.ToolBox([], Logger.None)))
        {
            overlay.TakeOver(disk, [.. changes], CancellationToken.None);
        }

        Assert.That(freed, Is.EqualTo(65536));
        Assert.That(discarded, Is.EqualTo("\0aa"));
        Assert.That(Letters(disk), Is.EqualTo("\0ab"));
        Assert.That(File.Exists(file), Is.False, "the overlay is gone");
    }

    [Test]
    public void An_overlay_that_ends_too_early_is_an_error()
    {
        var (disk, file) = (Path.Combine(_folder, "disk"), Path.Combine(_folder, "overlay"));
        File.WriteAllBytes(disk, new byte[65536]);
        File.WriteAllBytes(file, new byte[100]);
        using var overlay = new DiskOverlay(file, new Crust.Tools.ToolBox([], Logger.None));

        Assert.That(() => overlay.TakeOver(disk, [new(new Extent(0, 65536), 0)], CancellationToken.None), Throws.InstanceOf<IOException>());
    }

    // One for each 64 KiB.
    private static string Letters(string disk) => string.Concat(File.ReadAllBytes(disk).Chunk(65536).Select(part => part.Distinct().Single()).Select(b => (char)b));
}
