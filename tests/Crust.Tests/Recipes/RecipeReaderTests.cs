using Crust.Recipes;
using Crust.Spec;

namespace Crust.Tests.Recipes;

public sealed class RecipeReaderTests
{
    private const string Sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    private const string Whole = $$"""
        name: tool
        summary: A tool
        homepage: https://example.org
        license: MIT
        downloads:
          tool:
            url: https://example.org/{tag}/tool-{machine}.tar.gz
            archive: tar.gz
            sums: https://example.org/{tag}/SHA256SUMS
        files:
          - { from: 'tool:bin/tool', to: /usr/bin/tool, mode: '755' }
        links:
          - { at: /usr/bin/t, to: tool }
        versions:
          1.2.3:
            with: { other: '2' }
            amd64: { tool: {{Sum}} }

        """;

    [Test]
    public void A_recipe_says_where_files_come_from_by_which_sums_and_where_they_go()
    {
        var recipe = Read(Whole);

        var download = recipe.Downloads.Single();
        Assert.That(Placeholders.Url(download.Url, recipe, download, "1.2.3", Arch.Arm64).AbsoluteUri, Is.EqualTo("https://example.org/v1.2.3/tool-aarch64.tar.gz"));
        Assert.That(recipe.Versions.Single().Sums, Is.EqualTo(new Dictionary<(Arch, string), string> { [(Arch.Amd64, "tool")] = Sum }));
        Assert.That(recipe.Versions.Single().With, Is.EqualTo(new Dictionary<string, string> { ["other"] = "2" }));
        Assert.That(recipe.Files.Single(), Is.EqualTo(new RecipeFile("tool", "bin/tool", "/usr/bin/tool", (UnixFileMode)0b111_101_101, recipe.Files[0].For)));
        Assert.That(recipe.Links, Is.EqualTo(new[] { new RecipeLink("/usr/bin/t", "tool") }));
    }

    [Test]
    public void What_a_version_has_beyond_the_letters_of_a_path_is_encoded_in_URLs()
    {
        var recipe = Read(Whole.Replace("license: MIT", "license: MIT\nversionForm: '[0-9.]+\\+k3s[0-9]+'").Replace("1.2.3:", "1.2.3+k3s1:"));

        Assert.That(Placeholders.Url(recipe.Downloads[0].Url, recipe, recipe.Downloads[0], "1.2.3+k3s1", Arch.Amd64).AbsoluteUri, Is.EqualTo("https://example.org/v1.2.3%2Bk3s1/tool-x86_64.tar.gz"));
    }

    [TestCase("name: tool", "name: other", "tool.yaml:1:7, name", "isn't that of its file")]
    [TestCase("summary: A tool", "sumary: A tool", "tool.yaml:1:1", "'summary' is missing")]
    [TestCase("license: MIT", "license: MIT\nlicence: MIT", "tool.yaml:5:1, licence", "no key 'licence'")]
    [TestCase("license: MIT", "license: MIT\ntag: latest", "tool.yaml:5:6, tag", "the same for all versions")]
    [TestCase("license: MIT", "license: MIT\nversionForm: '('", "tool.yaml:5:14, versionForm", "no regular expression")]
    [TestCase("{machine}", "{cpu}", "tool.yaml:7:10, downloads.tool.url", "no placeholder '{cpu}'")]
    [TestCase("{machine}", "{file}", "tool.yaml:7:10, downloads.tool.url", "nothing says what it stands for")]
    [TestCase("url: https", "url: http", "tool.yaml:7:10, downloads.tool.url", "come by https")]
    [TestCase("archive: tar.gz", "archive: rar", "tool.yaml:8:14, downloads.tool.archive", "no kind of archive")]
    [TestCase("archive: tar.gz", "signature: https://example.org/s\n    key: ABC", "tool.yaml:9:10, downloads.tool.key", "isn't a fingerprint")]
    [TestCase("archive: tar.gz", "signature: https://example.org/s", "tool.yaml:8:16, downloads.tool.signature", "no key")]
    [TestCase("'tool:bin/tool'", "'toll:bin/tool'", "tool.yaml:11:13, files[0].from", "no download 'toll'")]
    [TestCase("'tool:bin/tool'", "tool", "tool.yaml:11:13, files[0].from", "nothing says which of its files")]
    [TestCase("'tool:bin/tool'", "'tool:../etc/passwd'", "tool.yaml:11:13, files[0].from", "isn't a path inside")]
    [TestCase("to: /usr/bin/tool", "to: usr/bin/tool", "tool.yaml:11:34, files[0].to", "no path in the target")]
    [TestCase("to: /usr/bin/tool", "to: /usr/../etc/tool", "tool.yaml:11:34, files[0].to", "no path in the target")]
    [TestCase("to: /usr/bin/tool", "to: /etc/tool", "tool.yaml:11:34, files[0].to", "outside /usr and /opt")]
    [TestCase("mode: '755'", "mode: '4755'", "tool.yaml:11:55, files[0].mode", "isn't a file's mode")]
    [TestCase("mode: '755'", "for: sysxet", "tool.yaml:11:54, files[0].for", "nothing that a recipe is used for")]
    [TestCase("  1.2.3:", "  latest:", "tool.yaml:16:5, versions.latest", "doesn't have the form")]
    [TestCase("amd64: {", "amd46: {", "tool.yaml:17:5, versions.1.2.3.amd46", "no key 'amd46'")]
    [TestCase(Sum, "0123", "tool.yaml:17:20, versions.1.2.3.amd64.tool", "isn't a SHA-256")]
    public void What_could_not_be_used_is_refused_with_its_place(string what, string instead, string where, string says)
    {
        var error = Assert.Throws<CrustException>(() => Read(Whole.Replace(what, instead)));

        Assert.That(error!.What, Does.Contain(says));
        Assert.That(error.Where, Is.EqualTo(where));
        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.Remedy, Is.Not.Empty);
    }

    [TestCase("")]
    [TestCase("- a list")]
    [TestCase("name: [")]
    public void A_file_that_is_no_recipe_is_refused(string text) =>
        Assert.That(Assert.Throws<CrustException>(() => Read(text))!.Kind, Is.EqualTo(FailureKind.BadInput));

    private static Recipe Read(string text) => RecipeReader.Read(text, "tool.yaml");
}
