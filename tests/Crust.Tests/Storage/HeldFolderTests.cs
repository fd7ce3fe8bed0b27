using Crust.Machines;
using Crust.Reports;
using Crust.Storage;

namespace Crust.Tests.Storage;

[CancelAfter(60_000)]
public sealed class HeldFolderTests
{
    private const string Prefix = "held-";

    private string _parent = null!;

    [SetUp]
    public void SetUp() => _parent = Directory.CreateTempSubdirectory("crust-held-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_parent, recursive: true);

    [Test]
    public void A_folder_that_is_held_stays_whatever_process_id_its_holder_has()
    {
        using var first = HeldFolder.Create(_parent, Prefix);
        File.WriteAllText(Path.Combine(first.Path, "draft"), "half an image");

        using var second = HeldFolder.Create(_parent, Prefix);

        Assert.That(Path.Combine(first.Path, "draft"), Does.Exist);
        Assert.That(File.GetUnixFileMode(first.Path), Is.EqualTo(PrivateFolder.Mode));
    }

    [Test]
    public void A_folder_that_nobody_holds_goes_with_all_in_it()
    {
        var left = LeftByKilled("held-0123");
        var empty = Directory.CreateDirectory(Path.Combine(_parent, "held-empty")).FullName;

        using var next = HeldFolder.Create(_parent, Prefix);

        Assert.That(left, Does.Not.Exist);
        Assert.That(empty, Does.Not.Exist, "its process was killed before it held it");
    }

    // Each looks for abandoned folders while the others make theirs, and may find one whose lock isn't taken yet.
    [Test]
    public void Many_that_make_folders_at_once_all_get_one() => Assert.That(() => Parallel.For(0, 8, _ =>
    {
        for (var i = 0; i < 100; i++)
        {
            HeldFolder.Create(_parent, "held-").Dispose();
        }
    }), Throws.Nothing);

    [Test]
    public void A_folder_that_is_kept_has_its_name_alone_and_nobody_removes_it()
    {
        var (path, abandoned) = (Path.Combine(_parent, "kept"), new List<string>());
        using (var folder = HeldFolder.Create(_parent, Prefix))
        {
            Directory.CreateDirectory(Path.Combine(folder.Path, "deep"));
            File.WriteAllText(Path.Combine(folder.Path, "deep", "file"), "");
            File.CreateSymbolicLink(Path.Combine(folder.Path, "link"), "/nowhere");
            folder.KeepAs(path);
        }

        using var next = HeldFolder.Create(_parent, "", onAbandoned: abandoned.Add);

        Assert.That(Directory.EnumerateFileSystemEntries(path).Select(Path.GetFileName), Is.EquivalentTo(new[] { "deep", "link" }));
        Assert.That(abandoned, Is.Empty);
    }

    [Test]
    public void A_folder_does_not_take_the_place_of_another_and_goes()
    {
        var taken = LeftByKilled("taken");
        var folder = HeldFolder.Create(_parent, Prefix);

        Assert.That(() => folder.KeepAs(taken), Throws.InstanceOf<IOException>());
        folder.Dispose();

        Assert.That(Directory.EnumerateFileSystemEntries(_parent).Select(Path.GetFileName), Is.EqualTo(new[] { "taken" }));
        Assert.That(Path.Combine(taken, "draft"), Does.Exist);
    }

    [Test]
    public void A_folder_that_Crust_has_not_made_stays()
    {
        var (other, file) = (LeftByKilled("other"), Path.Combine(_parent, "held-file"));
        File.WriteAllText(file, "");
        var foreign = Directory.CreateDirectory(Path.Combine(_parent, "held-foreign")).FullName;
        File.WriteAllText(Path.Combine(foreign, "precious"), "");

        using var next = HeldFolder.Create(_parent, Prefix);

        Assert.That(new[] { other, Path.Combine(foreign, "precious") }, Has.All.Exist);
        Assert.That(file, Does.Exist);
    }

    [Test]
    public void A_link_is_not_followed([Values("held-0123", "held-0123/.alive")] string link)
    {
        var target = LeftByKilled("target");
        var path = Path.Combine(_parent, link);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.CreateSymbolicLink(path, link == "held-0123" ? target : Path.Combine(target, ".alive"));

        using var next = HeldFolder.Create(_parent, Prefix);

        Assert.That(Path.Combine(target, "draft"), Does.Exist);
        Assert.That(Path.Exists(path), Is.True);
    }

    [Test]
    public void Another_users_folder_is_neither_removed_nor_an_error([Values("held-0123", "held-0123/.alive")] string owned)
    {
        var left = LeftByKilled("held-0123");
        GiveAway(Path.Combine(_parent, owned));

        using var next = HeldFolder.Create(_parent, Prefix);

        Assert.That(Path.Combine(left, "draft"), Does.Exist);
    }

    [Test]
    public void A_pipe_in_place_of_the_lock_does_not_hold_anybody_up()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_parent, "held-0123")).FullName;
        Pipes.Make(Path.Combine(folder, ".alive"));

        using var next = HeldFolder.Create(_parent, Prefix);

        Assert.That(next.Path, Does.Exist);
    }

    [Test]
    public void Machines_have_their_sockets_in_a_folder_of_this_user_alone()
    {
        var own = Path.Combine(_parent, $"crust-{FileFacts.User}");
        using (var ports = MachinePorts.Create(_parent))
        {
            Assert.That(Path.GetDirectoryName(ports.Folder), Is.EqualTo(own));
            Assert.That(File.GetUnixFileMode(own), Is.EqualTo(PrivateFolder.Mode));
            using var beside = MachinePorts.Create(_parent);
            Assert.That(beside.Folder, Is.Not.EqualTo(ports.Folder));
        }

        Assert.That(Directory.EnumerateFileSystemEntries(_parent), Is.Empty);
    }

    [Test]
    public void Whatever_stands_under_that_name_a_machine_starts([Values("another user's folder", "a link", "a file")] string what)
    {
        var (own, target) = (Path.Combine(_parent, $"crust-{FileFacts.User}"), Directory.CreateDirectory(Path.Combine(_parent, "target")).FullName);
        if (what == "a link")
        {
            File.CreateSymbolicLink(own, target);
        }
        else if (what == "a file")
        {
            File.WriteAllText(own, "");
        }
        else
        {
            Directory.CreateDirectory(own);
            GiveAway(own);
        }

        using (var ports = MachinePorts.Create(_parent))
        {
            Assert.That(Path.GetDirectoryName(ports.Folder), Is.EqualTo(_parent));
            Assert.That(File.GetUnixFileMode(ports.Folder), Is.EqualTo(PrivateFolder.Mode));
        }

        Assert.That(Path.Exists(own), Is.True);
        Assert.That(Directory.EnumerateFileSystemEntries(target), Is.Empty);
    }

    [Test]
    public void Folders_of_other_users_that_look_like_a_machines_break_nothing()
    {
        var folder = Directory.CreateDirectory(Path.Combine(_parent, "crust-0123456789ab")).FullName;
        File.WriteAllText(Path.Combine(folder, "alive"), "");
        GiveAway(folder);

        using var ports = MachinePorts.Create(_parent);

        Assert.That(Path.Combine(folder, "alive"), Does.Exist);
    }

    [Test]
    public void A_log_of_a_build_that_runs_stays_and_one_of_a_killed_build_goes()
    {
        var folder = Path.Combine(_parent, "logs");
        var running = BuildLog.In(folder);
        var killed = Directory.CreateDirectory(Path.Combine(folder, "0123")).FullName;
        File.WriteAllText(Path.Combine(killed, ".alive"), "");

        var next = BuildLog.In(folder);

        Assert.That(running.Path, Does.Exist);
        Assert.That(killed, Does.Not.Exist);
        Assert.That(File.GetUnixFileMode(running.Path), Is.EqualTo(WholeFile.Private));
        running.Remove();
        next.Remove();
        Assert.That(Directory.EnumerateFileSystemEntries(folder), Is.Empty);
    }

    private string LeftByKilled(string name)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_parent, name)).FullName;
        File.WriteAllText(Path.Combine(folder, ".alive"), "");
        File.WriteAllText(Path.Combine(folder, "draft"), "");
        return folder;
    }

    private static void GiveAway(string path)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            Assert.Ignore("needs root, to give a file to another user");
        }

        using var file = Posix.TryOpen(path, Posix.ReadOnly)!;
        Assert.That(Posix.ChangeOwner(file, 4321, 4321), Is.Zero);
    }
}
