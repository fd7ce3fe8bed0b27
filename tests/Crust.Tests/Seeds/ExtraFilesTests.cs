using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;

namespace Crust.Tests.Seeds;

/// <summary>Files of the user's that ride along, on either file system: read back by xorriso and by mtools.</summary>
public sealed class ExtraFilesTests
{
    private SeedSample _sample = null!;

    [SetUp]
    public void SetUp() => _sample = new SeedSample();

    [TearDown]
    public void TearDown() => _sample.Dispose();

    [TestCase(SeedFileSystem.Iso9660)]
    [TestCase(SeedFileSystem.Vfat)]
    public async Task Files_keep_their_bytes_their_names_and_their_folders(SeedFileSystem fileSystem)
    {
        var large = new byte[5_000_001];
        new Random(1).NextBytes(large);
        File.WriteAllBytes(Path.Combine(_sample.Folder, "large=1.bin"), large);
        File.CreateSymbolicLink(Path.Combine(_sample.Folder, "link"), _sample.Write("target", "behind a link"));
        var seed = Seed(fileSystem, ("Readme [1].txt", _sample.Write("readme", "read me")), ("bundles/a=b,c/Large.bin", Path.Combine(_sample.Folder, "large=1.bin")),
            ("bundles/link", Path.Combine(_sample.Folder, "link")), ("empty", _sample.Write("nothing", "")), (new string('n', 99) + ".yml", _sample.Write("long", "long")));

        using var delivery = await _sample.DeliverAsync(seed);
        var there = await ReadAsync(delivery);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(File.GetUnixFileMode(delivery.Volume!), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(delivery.FileSystem, Is.EqualTo(fileSystem));
            Assert.That(there.Keys, Is.EquivalentTo(new[] { "user-data", "meta-data", "Readme [1].txt", "bundles/a=b,c/Large.bin", "bundles/link", "empty", new string('n', 99) + ".yml" }));
            Assert.That(there["bundles/a=b,c/Large.bin"].AsSpan().SequenceEqual(large));
            Assert.That(there["bundles/link"], Is.EqualTo("behind a link"u8.ToArray()));
            Assert.That(there["user-data"], Is.EqualTo(System.Text.Encoding.UTF8.GetBytes(SeedSample.UserDataOf(seed))));
        }
    }

    [Test]
    public async Task A_vfat_volume_is_whole_and_has_its_label_in_capitals()
    {
        var seed = Seed(SeedFileSystem.Vfat);
        using var delivery = await _sample.DeliverAsync(seed);

        var label = await SeedSample.Tools.RunAsync(ToolCommand.Of("mlabel", "-i", delivery.Volume!, "-s", "::"), CancellationToken.None);

        Assert.That((label.Output.Trim(), seed.Label), Is.EqualTo(("Volume label is CIDATA", "CIDATA")));
        Assert.That(Path.GetFileName(delivery.Volume), Is.EqualTo("seed.img"));
        Assert.That(Directory.GetFileSystemEntries(_sample.Folder), Is.EqualTo(new[] { delivery.Volume }));
    }

    [TestCase(1)]
    [TestCase(3_000_000)]
    [TestCase(40_000_000)]
    public async Task A_vfat_volume_has_room_for_what_is_put_on_it(long bytes)
    {
        var path = Path.Combine(_sample.Folder, "sparse");
        using (var file = File.Create(path))
            file.SetLength(bytes);
        // Names of the longest kind in the root folder, which can't grow.
        var names = Enumerable.Range(0, 60).Select(i => ($"{i:00}{new string('x', 230)}", _sample.Write($"{i}", $"{i}")));

        using var delivery = await _sample.DeliverAsync(Seed(SeedFileSystem.Vfat, [("sparse", path), .. names]));

        var listed = await SeedSample.Tools.RunAsync(ToolCommand.Of("mdir", "-i", delivery.Volume!, "-b", "::"), CancellationToken.None);
        Assert.That(listed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(63));
    }

    [TestCase("any")]
    [TestCase("norock")]
    public async Task Names_beyond_ASCII_are_kept_on_an_ISO_by_Rock_Ridge_and_by_Joliet_whatever_the_locale_is(string names)
    {
        using var delivery = await _sample.DeliverAsync(Seed(SeedFileSystem.Iso9660, ("größe/日本.txt", _sample.Write("x", "x"))));

        var listed = await SeedSample.Tools.RunAsync(Xorriso.Of("-no_rc", "-read_fs", names, "-indev", delivery.Volume!, "-find", "/", "-type", "f"), CancellationToken.None);

        Assert.That(listed.Output, Does.Contain("'/größe/日本.txt'"));
    }

    [TestCase("a:b", SeedFileSystem.Iso9660, "'a:b' has the character :, so an ISO can't hold it for all readers")]
    [TestCase("dir/what?", SeedFileSystem.Iso9660, "'what?' has the character ?, so an ISO can't hold it for all readers")]
    [TestCase("back\\slash", SeedFileSystem.Iso9660, "'back\\slash' has the character \\, so an ISO can't hold it for all readers")]
    [TestCase("smile😀", SeedFileSystem.Iso9660, "'smile😀' has a character beyond U+FFFF, so an ISO can't hold it for all readers")]
    [TestCase("a<b", SeedFileSystem.Vfat, "'a<b' has the character <, so a vfat volume can't hold it for all readers")]
    [TestCase("größe", SeedFileSystem.Vfat, "'größe' has a character beyond ASCII, so a vfat volume can't hold it for all readers")]
    [TestCase("aux.d/x", SeedFileSystem.Vfat, "'aux.d' is the name of a DOS device, so a vfat volume can't hold it for all readers")]
    [TestCase("dot.", SeedFileSystem.Vfat, "'dot.' ends with a dot or a blank, so a vfat volume can't hold it for all readers")]
    [TestCase("user-data", SeedFileSystem.Iso9660, "It has the name of the seed's own 'user-data'")]
    [TestCase("User-Data", SeedFileSystem.Vfat, "It has the name of the seed's own 'user-data'")]
    [TestCase("meta-data/x", SeedFileSystem.Iso9660, "It and the seed's own 'meta-data' need the same name for a file and for a folder")]
    public void A_name_that_the_volume_cannot_hold_is_an_error_before_anything_boots(string name, SeedFileSystem fileSystem, string what)
    {
        var spec = SeedSample.SpecOf(Spec(fileSystem, (name, _sample.Write("x", "x")))) with { Origins = SpecOrigins };

        var error = Assert.Throws<CrustException>(() => SeedSample.FindingsIn(spec).ToList())!;

        Assert.That((error.Kind, error.What, error.Where), Is.EqualTo((FailureKind.BadInput, what, $"crust.yaml:3:5, {name}")));
        Assert.That(error.Remedy, Does.Contain("NAME=FILE"));
    }

    [TestCase(SeedFileSystem.Iso9660, 103)]
    [TestCase(SeedFileSystem.Vfat, 255)]
    public async Task The_longest_name_is_held_and_a_longer_one_is_an_error(SeedFileSystem fileSystem, int most)
    {
        var file = _sample.Write("x", "x");
        using var delivery = await _sample.DeliverAsync(Seed(fileSystem, (new string('n', most), file)));

        Assert.That((await ReadAsync(delivery)).Keys, Does.Contain(new string('n', most)));
        Assert.That(() => Seed(fileSystem, (new string('n', most + 1), file)), Throws.InstanceOf<CrustException>().With.Message.Contains($"has more than {most} characters"));
    }

    [TestCase("a", "A")]
    [TestCase("a", "a/b")]
    public void Two_files_that_would_be_one_are_an_error(string one, string other) =>
        Assert.That(() => Seed(SeedFileSystem.Vfat, (one, _sample.Write("x", "x")), (other, _sample.Write("y", "y"))), Throws.InstanceOf<CrustException>().With.Message.Contains($"another file's '{one}'"));

    [Test]
    public void A_file_that_vfat_cannot_hold_is_an_error()
    {
        var path = Path.Combine(_sample.Folder, "huge");
        using (var file = File.Create(path))
            file.SetLength(1L << 32);

        var error = Assert.Throws<CrustException>(() => Seed(SeedFileSystem.Vfat, ("huge", path)))!;

        ErrorAssert.Says(error, FailureKind.BadInput, "It has 4.0 GiB, and a file on vfat has less than 4.0 GiB", $"seed.files, {path}", "set seed.fileSystem to iso9660");
    }

    [Test]
    public void A_file_that_changes_is_another_and_its_size_is_what_a_copy_of_the_ISO_takes_beside_the_ISO()
    {
        var path = _sample.Write("x", "one");
        var before = SeedSample.KeyOf(Spec(SeedFileSystem.Iso9660, ("x", path))).Published;
        Assert.That(SeedSample.KeyOf(Spec(SeedFileSystem.Iso9660, ("x", path))).Published, Is.EqualTo(before));

        File.WriteAllText(path, "two");
        var spec = SeedSample.SpecOf(Spec(SeedFileSystem.Iso9660, ("x", path)));

        Assert.That(SeedSample.KeyOf(Spec(SeedFileSystem.Iso9660, ("x", path))).Published, Is.Not.EqualTo(before));
        Assert.That(SeedFiles.Read(spec.Seed).SizeWith(spec, 1000), Is.EqualTo(3));
        spec = spec with { Seed = spec.Seed with { Kind = SeedKind.Embedded } };
        Assert.That(SeedFiles.Read(spec.Seed).SizeWith(spec, 1000), Is.EqualTo(1003));
    }

    private static System.Collections.Immutable.ImmutableDictionary<string, string> SpecOrigins =>
        System.Collections.Immutable.ImmutableDictionary<string, string>.Empty.Add("seed.files", "crust.yaml:3:5");

    private static SeedSpec Spec(SeedFileSystem fileSystem, params (string Name, string Path)[] files) =>
        new() { FileSystem = fileSystem, Files = [.. files.Select(file => new ExtraFile(file.Name, file.Path))] };

    private static Seed Seed(SeedFileSystem fileSystem, params (string Name, string Path)[] files) => SeedSample.Compose(Spec(fileSystem, files));

    // All files of the volume, by programs that didn't write it in the case of vfat: mcopy -s is another way than single files.
    private async Task<Dictionary<string, byte[]>> ReadAsync(SeedDelivery delivery)
    {
        var outside = Directory.CreateDirectory(Path.Combine(_sample.Folder, "outside")).FullName;
        var command = delivery.FileSystem is SeedFileSystem.Vfat
            ? ToolCommand.Of("mcopy", "-s", "-i", delivery.Volume!, "::*", outside)
            : ToolCommand.Of("xorriso", "-no_rc", "-osirrox", "on", "-indev", delivery.Volume!, "-extract", "/", outside);
        await SeedSample.Tools.RunAsync(command, CancellationToken.None);
        Assert.That(Directory.EnumerateFiles(outside, "*", SearchOption.AllDirectories).Select(path => new FileInfo(path).LinkTarget), Has.All.Null);
        return Directory.EnumerateFiles(outside, "*", SearchOption.AllDirectories).ToDictionary(path => Path.GetRelativePath(outside, path), File.ReadAllBytes);
    }
}
