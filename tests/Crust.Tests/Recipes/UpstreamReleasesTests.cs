using System.Text;
using Crust.Recipes;
using Crust.Recipes.Sources;
using Crust.Spec;

namespace Crust.Tests.Recipes;

/// <summary>Which versions upstream has, in each form in which upstreams say it, from a real web server.</summary>
[CancelAfter(60_000)]
public sealed class UpstreamReleasesTests
{
    private const string Feed = """
        <?xml version="1.0" encoding="UTF-8"?>
        <feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="en-US">
          <id>tag:github.com,2008:https://github.com/example/tool/releases</id>
          <link type="text/html" rel="alternate" href="https://github.com/example/tool/releases"/>
          <entry><id>tag:github.com,2008:Repository/1/v1.9.0-rc.1</id><link rel="alternate" type="text/html" href="https://github.com/example/tool/releases/tag/v1.9.0-rc.1"/><title>v1.9.0-rc.1</title></entry>
          <entry><id>tag:github.com,2008:Repository/1/v1.9.3</id><link rel="alternate" type="text/html" href="https://github.com/example/tool/releases/tag/v1.9.3"/>
            <content type="html">&lt;p&gt;with runc v9.9.9, href="https://example.org/v8.8.8"&lt;/p&gt;</content></entry>
          <entry><id>tag:github.com,2008:Repository/1/v1.10.2</id><link rel="alternate" type="text/html" href="https://github.com/example/tool/releases/tag/v1.10.2"/></entry>
        </feed>
        """;

    private StandIn _upstream = null!;

    [SetUp]
    public void SetUp() => _upstream = new StandIn();

    [TearDown]
    public void TearDown() => _upstream.Dispose();

    [Test]
    public async Task A_feed_lists_versions_and_candidates_do_not_count() =>
        Assert.That(await FindAsync("{ feed: https://github.com/example/tool/releases.atom }", "https://github.com/example/tool/releases.atom", Feed), Is.EqualTo(new[] { "1.10.2", "1.9.3" }));

    [Test]
    public async Task A_plus_sign_in_a_feed_is_one() =>
        Assert.That(await FindAsync(@"{ feed: https://github.com/example/tool/releases.atom }", "https://github.com/example/tool/releases.atom",
            "<feed><link href='https://github.com/k3s-io/k3s/releases/tag/v1.36.4%2Bk3s2'/></feed>", @"\d+\.\d+\.\d+\+k3s\d+"), Is.EqualTo(new[] { "1.36.4+k3s2" }));

    [TestCase("v2.0.1\n")]
    [TestCase("v2.0.1")]
    public async Task A_file_names_the_newest(string text) =>
        Assert.That(await FindAsync("{ text: https://example.org/stable.txt }", "https://example.org/stable.txt", text), Is.EqualTo(new[] { "2.0.1" }));

    [Test]
    public async Task A_listing_has_links() =>
        Assert.That(await FindAsync("{ listing: https://example.org/tool/, name: '{version}' }", "https://example.org/tool/", """
            <ul><li><a href="../">../</a></li><li><a href="/tool/1.22.10/">tool_1.22.10</a></li><li><a href='1.22.9/?C=M'>x</a></li><li><a href="/tool/1.22.11+ent/">x</a></li></ul>
            """), Is.EqualTo(new[] { "1.22.10", "1.22.9" }));

    [Test]
    public async Task A_listing_of_files_has_their_names() =>
        Assert.That(await FindAsync("{ listing: https://example.org/static/, name: 'docker-{version}.tgz' }", "https://example.org/static/",
            "<a href=\"docker-29.7.2.tgz\">x</a> <a href=\"docker-rootless-extras-30.0.0.tgz\">x</a> <a href=\"docker-29.10.0.tgz\">x</a> <a href=\"docker-31.0.0.zip\">x</a>"), Is.EqualTo(new[] { "29.10.0", "29.7.2" }));

    [Test]
    public async Task A_redirect_leads_to_the_newest()
    {
        _upstream.Redirects[StandIn.PathOf(new Uri("https://github.com/example/tool/releases/latest"))] = "/mirror/github.com/example/tool/releases/tag/v3.1.4";

        Assert.That(await FindAsync("{ latest: https://github.com/example/tool/releases/latest }"), Is.EqualTo(new[] { "3.1.4" }));
    }

    [TestCase("{ latest: https://example.org/latest }", "https://example.org/latest", "here", "redirects nowhere")]
    [TestCase("{ latest: https://example.org/latest }", null, "", "404")]
    [TestCase("{ feed: https://example.org/feed }", "https://example.org/feed", "<html>", "is no feed")]
    [TestCase("{ feed: https://example.org/feed }", "https://example.org/feed", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><feed>&e;</feed>", "is no feed")]
    [TestCase("{ feed: https://example.org/feed }", "https://example.org/feed", "<feed/>", "lists no version of tool")]
    [TestCase("{ text: https://example.org/stable.txt }", "https://example.org/stable.txt", "soon", "lists no version of tool")]
    public void What_is_no_list_is_refused(string releases, string? url, string text, string what) =>
        Assert.That(async () => await FindAsync(releases, url, text), Throws.TypeOf<CrustException>().With.Property("What").Contains(what).And.Property("Where").Contains("/example.org/"));

    [Test]
    public async Task What_Debian_packs_apt_lists()
    {
        _upstream.ServePackage("keepalived", "1:2.3.4-1", Arch.Amd64, [("usr/sbin/keepalived", "x")]);

        Assert.That(await _upstream.Sources.ReleasesOfAsync(_upstream.Book.Get("keepalived"), _upstream.Mirrors, CancellationToken.None), Is.EqualTo(new[] { "2.3.4" }));
    }

    [TestCase("{ feed: http://example.org/ }", "come by https")]
    [TestCase("{ feed: 'https://example.org/{version}' }", "without placeholders")]
    [TestCase("{ feed: https://example.org/a, text: https://example.org/b }", "two places")]
    [TestCase("{ name: '{version}' }", "Nothing says where")]
    [TestCase("{ feed: https://example.org/, name: tool }", "the same for all versions")]
    [TestCase("{ fed: https://example.org/ }", "Nothing says where")]
    public void A_section_that_says_nothing_is_refused_with_its_place(string releases, string what)
    {
        var error = Assert.Throws<CrustException>(() => RecipeOf(releases))!;

        Assert.That(error.What + error.Remedy, Does.Contain(what));
        Assert.That(error.Where, Does.StartWith("tool.yaml:6:").And.Contain("releases"));
    }

    [Test]
    public void Each_shipped_recipe_says_where_its_versions_are_listed() =>
        Assert.That(_upstream.Book.Names.Select(_upstream.Book.Get).Where(recipe => !UpstreamReleases.Has(recipe)).Select(recipe => recipe.Name), Is.Empty);

    private async Task<IEnumerable<string>> FindAsync(string releases, string? url = null, string text = "", string? form = null)
    {
        if (url is not null)
        {
            _upstream.Files[StandIn.PathOf(new Uri(url))] = Encoding.UTF8.GetBytes(text);
        }

        return await _upstream.Sources.ReleasesOfAsync(RecipeOf(releases, form), _upstream.Mirrors, CancellationToken.None);
    }

    private static Recipe RecipeOf(string releases, string? form = null) => RecipeReader.Read($$"""
        name: tool
        summary: A tool
        homepage: https://example.org
        license: MIT
        versionForm: '{{form ?? @"\d+\.\d+\.\d+"}}'
        releases: {{releases}}
        downloads:
          tool: { url: 'https://example.org/{tag}/tool-{arch}' }
        files:
          - { from: tool, to: /usr/bin/tool }
        versions:
          '{{(form is null ? "1.0.0" : "1.0.0+k3s1")}}': { }

        """, "tool.yaml");
}
