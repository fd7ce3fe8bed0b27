using System.Collections.Immutable;
using Crust.Trees;

namespace Crust.Tests.Trees;

public sealed class TreeChangesTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-changes-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    private static FileTree Before => FileTree.Empty.With(
        TreeEntry.File("bin/a", TreeContent.Of("a"), TreeEntry.Executable), TreeEntry.File("bin/b", TreeContent.Of("b")), TreeEntry.Symlink("lib", "bin"),
        TreeEntry.File("etc/deep/one", TreeContent.Of("1")), TreeEntry.File("etc/deep/two", TreeContent.Of("2")), TreeEntry.Folder("tmp", (UnixFileMode)0x3FF), TreeEntry.File("run/old", TreeContent.Of("x")));

    [Test]
    public async Task Put_over_the_first_they_give_the_second()
    {
        var after = Before.Without("bin/b").Without("etc/deep").Without("lib").Without("run/old").With(
            TreeEntry.File("bin/a", TreeContent.Of("A"), TreeEntry.Executable), TreeEntry.File("etc/deep", TreeContent.Of("a file now")), TreeEntry.File("lib/x", TreeContent.Of("x")),
            TreeEntry.Symlink("etc/link", "deep"), TreeEntry.File("tmp/y", TreeContent.Of("y")) with { Uid = 7, Xattrs = Attribute(1) });

        var changes = TreeChanges.Between(Before, after);

        Assert.That(changes.Entries.Select(entry => entry.Path), Is.EqualTo(new[] { "bin", "bin/.wh.b", "bin/a", "etc", "etc/deep", "etc/link", "lib", "lib/x", "run", "run/.wh.old", "tmp", "tmp/y" }));
        Assert.That(changes.Find("tmp")!.Mode, Is.EqualTo((UnixFileMode)0x3FF), "a folder above keeps what it is");
        Assert.That(TreeDigest.Of(await OverAsync(Before, changes)), Is.EqualTo(TreeDigest.Of(after)));
    }

    [Test]
    public void Of_the_same_there_are_none_and_ignored_folders_are_not_looked_into()
    {
        Assert.That(TreeChanges.Between(Before, Before.Without("run/old").With(TreeEntry.File("tmp/new", TreeContent.Of("x"))), "run", "tmp").Entries, Is.Empty);
        Assert.That(TreeChanges.Between(Before, Before.With(TreeEntry.Symlink("lib", "bin") with { Mode = TreeEntry.Executable })).Entries, Is.Empty, "a link's mode means nothing");
    }

    [Test]
    public void Owners_modes_and_attributes_count()
    {
        var file = Before.Find("bin/a")!;
        foreach (var other in new[] { file with { Uid = 1 }, file with { Gid = 1 }, file with { Mode = TreeEntry.Readable }, file with { Xattrs = Attribute(1) } })
        {
            Assert.That(TreeChanges.Between(Before, Before.With(other)).Find("bin/a"), Is.EqualTo(other));
        }

        Assert.That(TreeChanges.Between(Before.With(file with { Xattrs = Attribute(1) }), Before.With(file with { Xattrs = Attribute(2) })).Count, Is.EqualTo(2));
        Assert.That(TreeChanges.Between(Before.With(file with { Xattrs = Attribute(1) }), Before.With(file with { Xattrs = Attribute(1) })).Entries, Is.Empty);
    }

    private async Task<FileTree> OverAsync(FileTree below, FileTree changes)
    {
        var path = Path.Combine(_folder, "layer.tar");
        await using (var file = File.Create(path))
        {
            await changes.WriteTarAsync(file, 0, CancellationToken.None);
        }

        return below.WithLayer(path, allowDevices: false);
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<byte>> Attribute(byte value) => ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty.Add("user.x", [value]);
}
