using Crust.Appliance;

namespace Crust.Tests.Appliance;

public sealed class RecipeTests
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

    private string Key(params string[] facts) => Recipe.Key([new Recipe(_folder)], facts);

    [Test]
    public void A_list_has_neither_comments_nor_empty_lines()
    {
        Write("a.list", "# what this is\n\n  one\ntwo\n# three\n");

        Assert.That(new Recipe(_folder).List("a.list"), Is.EqualTo(new[] { "one", "two" }));
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
        Assert.That(() => new Recipe(_folder).List("gone.list"), Throws.TypeOf<CrustException>()
            .With.Property(nameof(CrustException.Where)).EqualTo(Path.Combine(_folder, "gone.list")));
}
