using System.Collections.Immutable;
using System.Formats.Tar;
using System.Text;
using Crust.Trees;

namespace Crust.Tests.Trees;

public sealed class TreeArchiveTests
{
    private static readonly string LongName = string.Join('/', Enumerable.Repeat(new string('n', 60), 5));

    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-tree-tar-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void An_archive_of_each_format_is_read_with_long_names_owners_and_hard_links([Values(TarEntryFormat.Pax, TarEntryFormat.Gnu)] TarEntryFormat format)
    {
        var tree = FileTree.FromTar(Archive(writer =>
        {
            Write(writer, format, TarEntryType.Directory, "./usr/", mode: TreeEntry.Executable);
            Write(writer, format, TarEntryType.RegularFile, $"./usr/{LongName}", content: "long", owner: 1234);
            Write(writer, format, TarEntryType.HardLink, "usr/other", link: $"./usr/{LongName}");
            Write(writer, format, TarEntryType.SymbolicLink, "usr/ü", link: $"/usr/{LongName}");
        }));

        Assert.That(FileTreeTests.Text(tree.Find($"usr/{LongName}")), Is.EqualTo("long"));
        Assert.That((tree.Find($"usr/{LongName}")!.Uid, tree.Find($"usr/{LongName}")!.Gid), Is.EqualTo((1234, 1234)));
        Assert.That(tree.Find("usr/other")!.Content, Is.SameAs(tree.Find($"usr/{LongName}")!.Content));
        Assert.That(tree.Follow("usr/ü"), Is.SameAs(tree.Find($"usr/{LongName}")));
    }

    [Test]
    public async Task What_is_written_is_what_is_read_and_twice_the_same_bytes()
    {
        var content = TreeContent.Of("twice");
        var tree = FileTree.Empty.With(
            TreeEntry.File($"usr/{LongName}", content) with { Uid = 3_000_000, Gid = 5 },
            TreeEntry.File("usr/z", content) with { Uid = 3_000_000, Gid = 5 },
            TreeEntry.Symlink("usr/lang", "/usr/" + LongName),
            TreeEntry.File("usr/ping", TreeContent.Of("ping"), TreeEntry.Executable | UnixFileMode.SetUser) with { Xattrs = Attributes("security.capability", [1, 0, 0, 2, 0xff, (byte)'\n']) });

        var (one, two) = (await TarOf(tree), await TarOf(tree));
        var read = FileTree.FromTar(one);

        Assert.That(File.ReadAllBytes(one), Is.EqualTo(File.ReadAllBytes(two)));
        Assert.That(read.Entries.Select(Facts), Is.EqualTo(tree.Entries.Select(Facts)));
        Assert.That(read.Find("usr/z")!.Content, Is.SameAs(read.Find($"usr/{LongName}")!.Content));
        Assert.That(read.Find("usr/ping")!.Xattrs["security.capability"], Is.EqualTo(new byte[] { 1, 0, 0, 2, 0xff, (byte)'\n' }));
    }

    [Test]
    public async Task Other_readers_of_archives_read_the_same()
    {
        var tree = FileTree.Empty.With(TreeEntry.File($"usr/{LongName}", TreeContent.Of("long")) with { Uid = 3_000_000 }, TreeEntry.Symlink("usr/ü", LongName));

        using var reader = new TarReader(File.OpenRead(await TarOf(tree)));
        var entries = new List<TarEntry>();
        while (reader.GetNextEntry() is { } entry)
        {
            entries.Add(entry);
        }

        Assert.That(entries.Select(entry => entry.Name.TrimEnd('/')), Is.EqualTo(tree.Entries.Select(entry => entry.Path).Prepend(".")));
        Assert.That(entries.Single(entry => entry.EntryType is TarEntryType.SymbolicLink).LinkName, Is.EqualTo(LongName));
        Assert.That((entries[^2].Uid, entries[^2].ModificationTime), Is.EqualTo((3_000_000, DateTimeOffset.FromUnixTimeSeconds(7))));
    }

    [TestCase(TarEntryType.RegularFile, "../escape", "", "leaves it")]
    [TestCase(TarEntryType.RegularFile, "/etc/passwd", "", "leaves it")]
    [TestCase(TarEntryType.SymbolicLink, "usr/x", "../../etc/passwd", "leads out of the root")]
    [TestCase(TarEntryType.HardLink, "usr/x", "../../etc/passwd", "no file before it")]
    [TestCase(TarEntryType.HardLink, "usr/x", "/etc/passwd", "no file before it")]
    [TestCase(TarEntryType.CharacterDevice, "dev/null", "", "a device or a FIFO")]
    [TestCase(TarEntryType.Fifo, "run/pipe", "", "a device or a FIFO")]
    public void What_was_made_to_do_harm_is_refused(TarEntryType type, string name, string link, string what)
    {
        var archive = Archive(writer => Write(writer, TarEntryFormat.Pax, type, name, link: link));

        Assert.That(() => FileTree.FromTar(archive), Throws.TypeOf<CrustException>().With.Message.Contains(what).And.Message.Contains(archive).And.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void A_member_below_a_link_stays_in_the_tree()
    {
        var tree = FileTree.FromTar(Archive(writer =>
        {
            Write(writer, TarEntryFormat.Pax, TarEntryType.Directory, "etc/");
            Write(writer, TarEntryFormat.Pax, TarEntryType.SymbolicLink, "x", link: "/etc");
            Write(writer, TarEntryFormat.Pax, TarEntryType.RegularFile, "x/passwd", content: "of the tree");
        }));

        Assert.That(FileTreeTests.Text(tree.Find("etc/passwd")), Is.EqualTo("of the tree"));
    }

    [Test]
    public void Devices_are_taken_where_they_are_allowed()
    {
        var archive = Archive(writer => writer.WriteEntry(new PaxTarEntry(TarEntryType.CharacterDevice, "dev/null") { DeviceMajor = 1, DeviceMinor = 3 }));

        Assert.That(FileTree.FromTar(archive, allowDevices: true).Find("dev/null"), Has.Property(nameof(TreeEntry.Device)).EqualTo((1, 3)).And.Property(nameof(TreeEntry.Kind)).EqualTo(EntryKind.CharacterDevice));
    }

    [Test]
    public void What_is_no_archive_is_said()
    {
        var path = Path.Combine(_folder, "x.tar");
        File.WriteAllBytes(path, [0x1f, 0x8b, .. new byte[2000]]);

        Assert.That(() => FileTree.FromTar(path), Throws.TypeOf<CrustException>().With.Message.Contains("a header of it is damaged").And.Message.Contains("unpack"));
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<byte>> Attributes(string name, ImmutableArray<byte> value) => ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty.Add(name, value);

    private static object Facts(TreeEntry entry) => (entry.Path, entry.Kind, entry.Mode, entry.Uid, entry.Gid, entry.LinkTarget, FileTreeTests.Text(entry));

    private static void Write(TarWriter writer, TarEntryFormat format, TarEntryType type, string name, string link = "", string? content = null, int owner = 0, UnixFileMode mode = TreeEntry.Readable)
    {
        TarEntry entry = format is TarEntryFormat.Gnu ? new GnuTarEntry(type, name) : new PaxTarEntry(type, name);
        (entry.Uid, entry.Gid, entry.Mode) = (owner, owner, mode);
        if (link.Length > 0)
        {
            entry.LinkName = link;
        }

        if (content is not null)
        {
            entry.DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content));
        }

        writer.WriteEntry(entry);
    }

    private string Archive(Action<TarWriter> write)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.tar");
        using var writer = new TarWriter(File.Create(path));
        write(writer);
        return path;
    }

    private async Task<string> TarOf(FileTree tree)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.tar");
        await using var file = File.Create(path);
        await tree.WriteTarAsync(file, 7, CancellationToken.None);
        return path;
    }
}
