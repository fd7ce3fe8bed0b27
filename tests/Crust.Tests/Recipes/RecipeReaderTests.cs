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
        config:
          - { at: /etc/tool.conf, text: 'a = 1' }
        tmpfiles:
          - { line: 'd /var/lib/tool 0755 root root -' }
        users:
          - { name: tool, comment: A tool, home: /var/lib/tool }
        variants: { whole: All of it, bare: The program alone }
        units:
          - { name: tool.service, text: "[Service]\nUser=tool\nExecStart=/usr/bin/tool", wantedBy: multi-user.target, only: whole }
          - { name: tool.service, dropIn: 10-more.conf, text: "[Service]\nNice=1", for: sysext }
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
        Assert.That(recipe.Files.Single(), Is.EqualTo(new RecipeFile("tool", "bin/tool", "/usr/bin/tool", (UnixFileMode)0b111_101_101, recipe.Files[0].Scope)));
        Assert.That(recipe.Links, Is.EqualTo(new[] { new RecipeLink("/usr/bin/t", "tool", recipe.Links[0].Scope) }));
    }

    [Test]
    public void A_recipe_says_what_a_system_gets_beside_files()
    {
        var recipe = Read(Whole);

        Assert.That(recipe.Variants, Is.EqualTo(new[] { new RecipeVariant("whole", "All of it"), new RecipeVariant("bare", "The program alone") }));
        Assert.That(recipe.Config.Single(), Is.EqualTo(new RecipeConfig("/etc/tool.conf", "a = 1\n", RecipeConfig.Plain, recipe.Config[0].Scope)));
        Assert.That(recipe.Tmpfiles.Single().Line, Is.EqualTo("d /var/lib/tool 0755 root root -"));
        Assert.That(recipe.Users.Single(), Is.EqualTo(new RecipeUser("tool", false, "A tool", "/var/lib/tool")));
        Assert.That(recipe.Units.Select(unit => (unit.Name, unit.DropIn, unit.WantedBy)), Is.EqualTo(new[] { ("tool.service", null, "multi-user.target"), ("tool.service", "10-more.conf", (string?)null) }));
    }

    [TestCase(RecipeUse.Layer, "whole", new[] { true, false })]
    [TestCase(RecipeUse.Sysext, "whole", new[] { true, true })]
    [TestCase(RecipeUse.Sysext, "bare", new[] { false, true })]
    public void What_is_for_one_use_or_variant_is_part_of_no_other(RecipeUse use, string variant, bool[] expected) =>
        Assert.That(Read(Whole).Units.Select(unit => unit.Scope.Has(use, variant)), Is.EqualTo(expected));

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
    [TestCase("archive: tar.gz", "package: tool", "tool.yaml:7:5, downloads.tool.url", "no key 'url'")]
    [TestCase("url: https://example.org/{tag}/tool-{machine}.tar.gz", "package: Tool", "tool.yaml:7:14, downloads.tool.package", "no name of a Debian package")]
    [TestCase("archive: tar.gz", "archive: rar", "tool.yaml:8:14, downloads.tool.archive", "no kind of archive")]
    [TestCase("archive: tar.gz", "signature: https://example.org/s\n    key: ABC", "tool.yaml:9:10, downloads.tool.key", "isn't a fingerprint")]
    [TestCase("archive: tar.gz", "signature: https://example.org/s", "tool.yaml:8:16, downloads.tool.signature", "no key")]
    [TestCase("'tool:bin/tool'", "'toll:bin/tool'", "tool.yaml:11:13, files[0].from", "no download 'toll'")]
    [TestCase("'tool:bin/tool'", "tool", "tool.yaml:11:13, files[0].from", "nothing says which of its files")]
    [TestCase("'tool:bin/tool'", "'tool:../etc/passwd'", "tool.yaml:11:13, files[0].from", "isn't a path inside")]
    [TestCase("to: /usr/bin/tool", "to: usr/bin/tool", "tool.yaml:11:34, files[0].to", "no path in the target")]
    [TestCase("to: /usr/bin/tool", "to: /usr/../etc/tool", "tool.yaml:11:34, files[0].to", "no path in the target")]
    [TestCase("to: /usr/bin/tool", "to: /var/tool", "tool.yaml:11:34, files[0].to", "outside /usr and /opt and /etc")]
    [TestCase("to: /usr/bin/tool", "to: /usr/bin/", "tool.yaml:11:34, files[0].to", "what it is called there")]
    [TestCase("at: /usr/bin/t,", "at: /etc/t,", "tool.yaml:13:11, links[0].at", "outside /usr and /opt")]
    [TestCase("to: tool }", "to: ../../../tool }", "tool.yaml:13:27, links[0].to", "leads out")]
    [TestCase("at: /etc/tool.conf", "at: /etc/tool/", "tool.yaml:15:11, config[0].at", "a folder's path")]
    [TestCase("'a = 1'", @"""a\e""", "tool.yaml:15:33, config[0].text", "control characters")]
    [TestCase("d /var/lib/tool", "R /var/lib/tool", "tool.yaml:17:13, tmpfiles[0].line", "isn't a line of tmpfiles.d")]
    [TestCase("name: tool, comment", "name: Tool, comment", "tool.yaml:19:13, users[0].name", "no name of a user")]
    [TestCase("A tool, home", "'A: tool', home", "tool.yaml:19:28, users[0].comment", "can't hold")]
    [TestCase("home: /var/lib/tool", "home: lib", "tool.yaml:19:42, users[0].home", "no path in the target")]
    [TestCase("variants: { whole", "variants: { Whole", "tool.yaml:20:20, variants.Whole", "no name of a variant")]
    [TestCase("only: whole", "only: hole", "tool.yaml:22:117, units[0].only", "no variant 'hole'")]
    [TestCase("User=tool", "User=toll", "tool.yaml:22:33, units[0].text", "runs as 'toll'")]
    [TestCase("name: tool.service, text", "name: tool, text", "tool.yaml:22:13, units[0].name", "no name of a unit")]
    [TestCase("wantedBy: multi-user.target", "wantedBy: multi-user", "tool.yaml:22:92, units[0].wantedBy", "no name of a unit")]
    [TestCase("10-more.conf", "10-more", "tool.yaml:23:35, units[1].dropIn", "end in .conf")]
    [TestCase(@"[Service]\nNice=1", "Nice=1", "tool.yaml:23:55, units[1].text", "begin with a section")]
    [TestCase(@", text: ""[Service]\nNice=1""", "", "tool.yaml:23:5, units[1].text", "Nothing says what")]
    [TestCase("mode: '755'", "mode: '4755'", "tool.yaml:11:55, files[0].mode", "isn't a file's mode")]
    [TestCase("mode: '755'", "for: sysxet", "tool.yaml:11:54, files[0].for", "nothing that a recipe is used for")]
    [TestCase("  1.2.3:", "  latest:", "tool.yaml:26:5, versions.latest", "doesn't have the form")]
    [TestCase("amd64: {", "amd46: {", "tool.yaml:27:5, versions.1.2.3.amd46", "no key 'amd46'")]
    [TestCase(Sum, "0123", "tool.yaml:27:20, versions.1.2.3.amd64.tool", "isn't a SHA-256")]
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
