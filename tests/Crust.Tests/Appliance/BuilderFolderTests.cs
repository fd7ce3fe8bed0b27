using Crust.Appliance;
using Crust.Spec;

namespace Crust.Tests.Appliance;

public sealed class BuilderFolderTests
{
    private string _folder = "";

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("crust-recipe-").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    private void Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(_folder, name))!);
        File.WriteAllText(Path.Combine(_folder, name), text);
    }

    private string Key(params string[] facts) => BuilderFolder.Key([Of(Arch.Amd64)], facts);

    private BuilderFolder Of(Arch arch) => new(_folder, arch);

    [Test]
    public void A_list_has_neither_comments_nor_empty_lines()
    {
        Write("a.list", "# what this is\n\n  one\ntwo\n# three\n");

        Assert.That(Of(Arch.Amd64).List("a.list"), Is.EqualTo(new[] { "one", "two" }));
    }

    [Test]
    public void A_list_goes_on_with_that_of_its_architecture()
    {
        Write("a.list", "one\n");
        Write("a.amd64.list", "# a PC\nbios\n");
        Write("a.arm64.list", "board\n");
        Write("b.arm64.list", "alone\n");

        Assert.That(Of(Arch.Amd64).List("a.list"), Is.EqualTo(new[] { "one", "bios" }));
        Assert.That(Of(Arch.Arm64).List("a.list"), Is.EqualTo(new[] { "one", "board" }));
        Assert.That(Of(Arch.Arm64).List("b.list"), Is.EqualTo(new[] { "alone" }));
    }

    [Test]
    public void A_folder_has_the_files_of_its_architecture_too()
    {
        Write("root/etc/hosts", "");
        Write("root.arm64/etc/grub", "");
        Write("root.amd64/etc/bios", "");

        Assert.That(Of(Arch.Arm64).Files("root").Select(file => file.Name), Is.EqualTo(new[] { "etc/grub", "etc/hosts" }));
    }

    [TestCase("a.arm64.list", false)]
    [TestCase("root.arm64/etc/grub", false)]
    [TestCase("root.arm64/etc/grub.amd64", false)]
    [TestCase("a.amd64.list", true)]
    [TestCase("root.amd64/etc/grub", true)]
    [TestCase("arm64/a.list", true)]
    public void The_key_covers_what_belongs_to_its_architecture(string name, bool covered)
    {
        Write("a.list", "one");
        var before = Key();
        Write(name, "more");

        Assert.That(Key(), covered ? Is.Not.EqualTo(before) : Is.EqualTo(before));
    }

    [Test]
    public void The_key_changes_with_a_files_content_and_comes_back_with_it()
    {
        Write("jobs/install", "one");
        var before = Key();
        Write("jobs/install", "two");
        var changed = Key();
        Write("jobs/install", "one");

        Assert.That(changed, Is.Not.EqualTo(before));
        Assert.That(Key(), Is.EqualTo(before).And.Match("^[0-9a-f]{64}$"));
    }

    [Test]
    public void The_key_changes_with_a_files_name()
    {
        Write("a", "one");
        var before = Key();
        File.Move(Path.Combine(_folder, "a"), Path.Combine(_folder, "b"));

        Assert.That(Key(), Is.Not.EqualTo(before));
    }

    [Test]
    public void Facts_do_not_run_into_each_other()
    {
        Write("a", "one");

        Assert.That(Key("ab", "c"), Is.Not.EqualTo(Key("a", "bc")));
    }

    [Test]
    public void A_files_time_plays_no_part_in_the_key()
    {
        Write("a", "one");
        var before = Key();
        File.SetLastWriteTimeUtc(Path.Combine(_folder, "a"), new DateTime(2001, 2, 3, 4, 5, 6, DateTimeKind.Utc));

        Assert.That(Key(), Is.EqualTo(before));
    }

    [Test]
    public void A_file_that_is_missing_is_named() =>
        Assert.That(() => Of(Arch.Arm64).List("gone.list"), Throws.TypeOf<CrustException>()
            .With.Property(nameof(CrustException.Where)).EqualTo(Path.Combine(_folder, "gone.list")));
}
