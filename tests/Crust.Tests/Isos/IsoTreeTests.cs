using Crust.Isos;
using Crust.Tests.Installers;

namespace Crust.Tests.Isos;

public sealed class IsoTreeTests
{
    private readonly IsoSample _sample = new();

    [OneTimeTearDown]
    public void RemoveFiles() => _sample.Dispose();

    [TestCase("-r")]
    [TestCase("-r -J")]
    [TestCase("-R -iso-level 3")]
    [TestCase("-iso-level 1")]
    public async Task Files_are_found_and_read_whatever_the_names_are_recorded_by(string options)
    {
        using var iso = new IsoTree(await _sample.WriteAsync("NAMES", options.Split(' '), ("boot/grub2/grub.cfg", "set timeout=5\n"), ("empty", "")));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(iso.VolumeId, Is.EqualTo("NAMES"));
            Assert.That(iso.ReadText("boot/grub2/grub.cfg", 100), Is.EqualTo("set timeout=5\n"));
            Assert.That(iso.ReadText("/boot/grub2/grub.cfg", 3), Is.EqualTo("set"));
            Assert.That(iso.Contains("boot/grub2"), Is.True);
            Assert.That(iso.Contains("empty"), Is.True);
            Assert.That(iso.ReadText("empty", 100), Is.Empty);
            Assert.That(iso.Contains("boot/grub"), Is.False);
            Assert.That(iso.Contains("empty/deeper"), Is.False);
            Assert.That(iso.ReadText("boot", 100), Is.Empty, "a folder");
        }
    }

    [Test]
    public async Task A_name_that_does_not_fit_into_its_record_and_a_folder_of_many_sectors_are_read()
    {
        var name = new string('n', 240) + ".yaml";
        using var iso = new IsoTree(await _sample.WriteAsync("LONG", [(name, "here"), .. Enumerable.Range(0, 500).Select(i => ($"file-{i:000}", $"{i}"))]));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(iso.ReadText(name, 100), Is.EqualTo("here"));
            Assert.That(iso.ReadText("file-000", 100), Is.EqualTo("0"));
            Assert.That(iso.ReadText("file-499", 100), Is.EqualTo("499"));
            Assert.That(iso.Contains("file-500"), Is.False);
        }
    }

    [Test]
    public async Task An_image_that_is_damaged_anywhere_gives_less_and_does_no_harm()
    {
        var whole = await File.ReadAllBytesAsync(await _sample.WriteAsync("DAMAGED", ("boot/grub2/grub.cfg", "menuentry Kairos"), (new string('n', 240), "")));
        var random = new Random(1);
        for (var i = 0; i < 400; i++)
        {
            var broken = (byte[])whole.Clone();
            for (var bytes = 0; bytes < 40; bytes++)
            {
                // Among the descriptors and the folders, which come first.
                broken[random.Next(16 * 2048, Math.Min(broken.Length, 64 * 2048))] = (byte)random.Next(256);
            }

            var path = Path.Combine(_sample.Folder, "broken.iso");
            await File.WriteAllBytesAsync(path, i % 10 == 0 ? broken[..random.Next(broken.Length)] : broken);
            using var iso = new IsoTree(path);
            Assert.That(iso.ReadText("boot/grub2/grub.cfg", 1000), Has.Length.LessThanOrEqualTo(1000));
        }
    }

    [Test]
    public void What_is_no_ISO_has_nothing()
    {
        var path = Path.Combine(_sample.Folder, "text");
        File.WriteAllText(path, "no ISO");
        using var iso = new IsoTree(path);

        Assert.That((iso.VolumeId, iso.Contains("boot"), iso.Contains("")), Is.EqualTo(("", false, false)));
    }
}
