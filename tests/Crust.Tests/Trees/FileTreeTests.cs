using System.Text;
using Crust.Trees;

namespace Crust.Tests.Trees;

public sealed class FileTreeTests
{
    private string _folder = null!;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-tree-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_folder_is_taken_with_modes_and_links_and_belongs_to_root()
    {
        Directory.CreateDirectory(In("usr/bin"));
        File.WriteAllText(In("usr/bin/tool"), "tool");
        File.SetUnixFileMode(In("usr/bin/tool"), TreeEntry.Executable);
        File.CreateSymbolicLink(In("usr/bin/alias"), "tool");

        var tree = FileTree.FromFolder(_folder);

        Assert.That(tree.Entries.Select(entry => (entry.Path, entry.Kind, entry.LinkTarget)), Is.EqualTo(new[]
        {
            ("usr", EntryKind.Folder, ""), ("usr/bin", EntryKind.Folder, ""), ("usr/bin/alias", EntryKind.Symlink, "tool"), ("usr/bin/tool", EntryKind.File, ""),
        }));
        Assert.That(tree.Find("usr/bin/tool"), Has.Property(nameof(TreeEntry.Mode)).EqualTo(TreeEntry.Executable).And.Property(nameof(TreeEntry.Uid)).Zero.And.Property(nameof(TreeEntry.Gid)).Zero);
        Assert.That(Text(tree.Follow("/usr/bin/alias")), Is.EqualTo("tool"));
    }

    [Test]
    public void The_later_entry_of_a_path_wins_and_a_file_takes_the_place_of_a_folder_with_all_in_it()
    {
        var below = FileTree.Empty.With(TreeEntry.File("etc/a", TreeContent.Of("old")), TreeEntry.File("opt/x/y", TreeContent.Of("y")), TreeEntry.File("opt/x-file", TreeContent.Of("stays")));

        var tree = FileTree.Empty.With(TreeEntry.File("etc/a", TreeContent.Of("new")), TreeEntry.File("opt/x", TreeContent.Of("x"))).Over(below);

        Assert.That(tree.Entries.Select(entry => entry.Path), Is.EqualTo(new[] { "etc", "etc/a", "opt", "opt/x", "opt/x-file" }));
        Assert.That((Text(tree.Find("etc/a")), Text(tree.Find("opt/x"))), Is.EqualTo(("new", "x")));
    }

    [Test]
    public void What_lies_below_a_link_to_a_folder_goes_into_that_folder_and_the_link_stays()
    {
        var merged = FileTree.Empty.With(TreeEntry.Folder("usr/lib"), TreeEntry.Symlink("lib", "usr/lib"), TreeEntry.Symlink("lib64", "/lib"));

        var tree = FileTree.Empty.With(TreeEntry.Folder("lib"), TreeEntry.File("lib/a.so", TreeContent.Of("a")), TreeEntry.File("lib64/b.so", TreeContent.Of("b"))).Over(merged);

        Assert.That(tree.Entries.Where(entry => entry.Kind is EntryKind.File).Select(entry => entry.Path), Is.EqualTo(new[] { "usr/lib/a.so", "usr/lib/b.so" }));
        Assert.That(tree.Find("lib")!.Kind, Is.EqualTo(EntryKind.Symlink));
    }

    [Test]
    public void Without_takes_a_path_and_what_is_below_it_and_no_neighbour()
    {
        var tree = FileTree.Empty.With(TreeEntry.File("a/b", TreeContent.Empty), TreeEntry.File("a.b", TreeContent.Empty), TreeEntry.File("ab", TreeContent.Empty));

        Assert.That(tree.Without("a").Entries.Select(entry => entry.Path), Is.EqualTo(new[] { "a.b", "ab" }));
    }

    [Test]
    public void Links_that_go_round_in_circles_lead_nowhere()
    {
        var tree = FileTree.Empty.With(TreeEntry.Symlink("a", "b"), TreeEntry.Symlink("b", "a"));

        Assert.That(tree.Follow("a"), Is.Null);
        Assert.That(() => tree.With(TreeEntry.File("a/x", TreeContent.Empty)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("leads to no folder"));
    }

    [TestCase("/etc/passwd")]
    [TestCase("../etc/passwd")]
    [TestCase("usr/../../etc")]
    [TestCase("usr//bin")]
    [TestCase("./usr")]
    [TestCase("")]
    [TestCase("a\0b")]
    public void A_path_that_leaves_the_tree_is_refused(string path) =>
        Assert.That(() => FileTree.Empty.With(TreeEntry.File(path, TreeContent.Empty)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("is no path in a tree"));

    [TestCase("usr/bin/x", "../../../etc/passwd")]
    [TestCase("x", "..")]
    [TestCase("usr/x", "/../etc")]
    [TestCase("usr/x", "a/../../../b")]
    public void A_link_out_of_the_root_is_refused(string path, string target) =>
        Assert.That(() => FileTree.Empty.With(TreeEntry.Symlink(path, target)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("leads out of the root"));

    [Test]
    public void Nothing_lies_below_a_file() =>
        Assert.That(() => FileTree.Empty.With(TreeEntry.File("a", TreeContent.Empty), TreeEntry.File("a/b", TreeContent.Empty)), Throws.TypeOf<InvalidDataException>().With.Message.Contains("a, which is no folder"));

    [Test]
    public async Task A_tree_written_as_a_folder_is_the_same_tree_when_it_is_read([Values(0, 1700000000)] int time)
    {
        var content = TreeContent.Of("twice");
        var tree = FileTree.Empty.With(TreeEntry.File("usr/one", content, TreeEntry.Executable), TreeEntry.File("usr/two", content, TreeEntry.Executable), TreeEntry.Symlink("usr/three", "/usr/one"),
            TreeEntry.Folder("usr/closed", UnixFileMode.UserRead | UnixFileMode.UserExecute), TreeEntry.File("usr/closed/in", TreeContent.Of("in")));

        await tree.WriteFolderAsync(_folder, time, CancellationToken.None);
        var read = FileTree.FromFolder(_folder);

        Assert.That(read.Entries.Select(Facts), Is.EqualTo(tree.Entries.Select(Facts)));
        Assert.That(read.Find("usr/one")!.Content, Is.SameAs(read.Find("usr/two")!.Content));
        Assert.That(Directory.EnumerateFileSystemEntries(_folder, "*", SearchOption.AllDirectories).Where(path => new FileInfo(path).LinkTarget is null).Select(File.GetLastWriteTimeUtc),
            Is.All.EqualTo(DateTime.UnixEpoch.AddSeconds(time)));
    }

    [Test]
    public void A_folder_that_is_not_there_and_a_pipe_in_a_folder_are_bad_input()
    {
        Assert.That(() => FileTree.FromFolder(In("none")), Throws.TypeOf<CrustException>().With.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput).And.Message.Contains(In("none")));
        using var made = System.Diagnostics.Process.Start("mkfifo", In("pipe"));
        made.WaitForExit();

        Assert.That(() => FileTree.FromFolder(_folder), Throws.TypeOf<CrustException>().With.Message.Contains("pipe is a pipe").And.Property(nameof(CrustException.Kind)).EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void A_file_that_became_shorter_is_said_and_not_filled_up()
    {
        File.WriteAllText(In("a"), "1234567890");
        var content = FileTree.FromFolder(_folder).Find("a")!.Content;
        File.WriteAllText(In("a"), "1");

        Assert.That(() => content.Pieces().ToList(), Throws.TypeOf<IOException>().With.Message.Contains("became shorter"));
        Assert.That(() => content.Read(0, 10), Throws.TypeOf<IOException>());
    }

    internal static string Text(TreeEntry? entry) => Encoding.UTF8.GetString(entry!.Content.Read(0, 1 << 20));

    private static object Facts(TreeEntry entry) => (entry.Path, entry.Kind, entry.Mode, entry.LinkTarget, Text(entry));

    private string In(string path) => Path.Combine(_folder, path);
}
