using Crust.Storage;

namespace Crust.Tests.Storage;

public sealed class ScratchFolderTests
{
    private string _parent = null!;

    [SetUp]
    public void SetUp() => _parent = Directory.CreateTempSubdirectory("crust-scratch-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_parent, recursive: true);

    [Test]
    public void It_is_private_and_no_other_is_the_same()
    {
        using var one = new ScratchFolder(Path.Combine(_parent, "made", "too"));
        using var two = new ScratchFolder(Path.Combine(_parent, "made", "too"));

        Assert.That(File.GetUnixFileMode(one.Path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        Assert.That(one.Path, Is.Not.EqualTo(two.Path));
    }

    [Test]
    public void It_goes_with_all_in_it_and_nothing_else()
    {
        var folder = new ScratchFolder(_parent);
        Directory.CreateDirectory(Path.Combine(folder.Path, "deep"));
        File.WriteAllText(Path.Combine(folder.Path, "deep", "file"), "");
        File.WriteAllText(Path.Combine(_parent, "neighbour"), "");

        folder.Dispose();

        Assert.That(Directory.EnumerateFileSystemEntries(_parent).Select(Path.GetFileName), Is.EqualTo(new[] { "neighbour" }));
    }

    [Test]
    public void A_parent_that_cannot_be_written_is_told()
    {
        var file = Path.Combine(_parent, "file");
        File.WriteAllText(file, "");

        var error = Assert.Throws<CrustException>(() => new ScratchFolder(file))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error.What, Does.StartWith("The cache can't be written: "));
        Assert.That(error.Where, Does.StartWith(file));
    }
}
