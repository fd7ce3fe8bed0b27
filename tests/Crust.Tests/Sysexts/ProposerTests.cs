using System.Text.Json.Nodes;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Tests.Cli;
using Crust.Tests.Recipes;

namespace Crust.Tests.Sysexts;

/// <summary>`crust recipe update`: newer versions from a real web server in upstream's place, as changes of the files that pin them.</summary>
[CancelAfter(60_000)]
public sealed class ProposerTests
{
    private const string Versions = """
        # What we publish.
        version: 1
        url: https://extensions.example.org/stable
        extensions:
          - recipe: tool
            versions:
              - '1.2.3'   # the newest
              - "1.1.0"
          - { recipe: other, versions: [1.0.0] } # behind

        """;

    private BakeSite _site = null!;

    [SetUp]
    public void SetUp()
    {
        _site = new BakeSite();
        foreach (var name in new[] { "tool", "other" })
        {
            var text = File.ReadAllText(_site.RecipePath(name)).Replace("downloads:", $"releases: {{ feed: 'https://{_site.Host}/{name}/releases.atom' }}\ndownloads:").Replace("versions:\n", "versions:\n  # Proven at our place.\n");
            File.WriteAllText(_site.RecipePath(name), text);
        }

        File.WriteAllText(_site.VersionsPath, Versions);
        Release("tool", "1.2.3", "1.1.0");
        Release("other", "1.0.0");
    }

    [TearDown]
    public void TearDown() => _site.Dispose();

    private string LockPath => Path.Combine(_site.Upstream.Folder, "crust.lock");

    [Test]
    public async Task Where_nothing_is_newer_nothing_changes()
    {
        var before = Texts();

        var run = await UpdateAsync();

        Assert.That((run.Code, run.Output, run.Error), Is.EqualTo((0, "nothing is newer\n", "")));
        Assert.That((Texts(), File.Exists(LockPath)), Is.EqualTo((before, false)));
    }

    [Test]
    public async Task The_newest_takes_the_place_of_the_newest_and_all_else_stays_comments_too()
    {
        Release("tool", "1.10.0", "1.2.4", "1.2.3", "1.1.7", "2.0.0-rc.1");
        var recipe = await File.ReadAllTextAsync(_site.RecipePath("tool"));

        var run = await UpdateAsync();

        Assert.That(run.Code, Is.Zero, run.Error);
        var list = $"https://{_site.Host}/tool/v1.10.0/SHA256SUMS";
        string Sum(Arch arch) => BakeSite.SumOf("tool", "1.10.0", arch);
        Assert.That(await File.ReadAllTextAsync(_site.VersionsPath), Is.EqualTo(Versions.Replace("'1.2.3'", "'1.10.0'")));
        Assert.That(await File.ReadAllTextAsync(_site.RecipePath("tool")), Is.EqualTo(recipe.Replace("versions:\n", $"""
            versions:
              '1.10.0':
                amd64:
                  tool: {Sum(Arch.Amd64)} # {list}
                arm64:
                  tool: {Sum(Arch.Arm64)} # {list}

            """)));
        Assert.That(run.Output, Is.EqualTo($"tool 1.2.3 → 1.10.0\n  {Sum(Arch.Amd64)}  tool 1.10.0 amd64 tool\n    from {list}\n  {Sum(Arch.Arm64)}  tool 1.10.0 arm64 tool\n    from {list}\n"));
        Assert.That(_site.Upstream.Requests.Select(request => request.Path), Has.None.Contains("tool-amd64"), "only lists are fetched");
        Assert.That((await _site.BakeAsync()).Built.Select(file => file.FileName), Is.EquivalentTo(new[] { "tool-1.10.0-x86-64.raw", "tool-1.1.0-x86-64.raw", "other-1.0.0-x86-64.raw" }), "what is proposed can be built");
        Assert.That((await UpdateAsync()).Output, Is.EqualTo("nothing is newer\n"));
    }

    [Test]
    public async Task Of_what_follows_its_minor_version_each_is_replaced_by_the_newest_of_its_own()
    {
        File.WriteAllText(_site.VersionsPath, Versions.Replace("url:", "pinMinor: tool\nurl:"));
        Release("tool", "1.10.0", "1.2.4", "1.2.3", "1.1.7");

        var run = await UpdateAsync("--json");

        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(await File.ReadAllTextAsync(_site.VersionsPath), Is.EqualTo(Versions.Replace("url:", "pinMinor: tool\nurl:").Replace("'1.2.3'", "'1.2.4'").Replace("\"1.1.0\"", "\"1.1.7\"")));
        var recipe = _site.Upstream.Book.Get("tool");
        Assert.That(recipe.Versions.Select(version => version.Version), Is.EqualTo(new[] { "1.2.4", "1.2.3", "1.1.7", "1.1.0" }), "each where it belongs");
        var json = JsonNode.Parse(run.Output)!;
        Assert.That(json["proposals"]!.AsArray().Select(one => $"{one!["from"]} {one["to"]} {one["sums"]!.AsArray().Count}"), Is.EqualTo(new[] { "1.2.3 1.2.4 2", "1.1.0 1.1.7 2" }));
        Assert.That((string?)json["skipped"]![0]!["why"], Does.StartWith("1.10.0 is out, of a minor version that isn't listed"));
    }

    [Test]
    public async Task A_recipe_that_Crust_brings_is_locked_and_stays_as_it_is()
    {
        File.WriteAllText(_site.VersionsPath, Versions.Replace("recipe: other, versions: [1.0.0]", "recipe: oras, versions: [1.3.2]"));
        var base1 = "https://github.com/oras-project/oras/releases";
        Serve($"{base1}.atom", $"<feed><link href='{base1}/tag/v1.3.9'/></feed>");
        Serve($"{base1}/download/v1.3.9/oras_1.3.9_checksums.txt", $"{new string('a', 64)}  oras_1.3.9_linux_amd64.tar.gz\n{new string('b', 64)}  oras_1.3.9_linux_arm64.tar.gz\n");
        File.WriteAllText(LockPath, LockFile.Empty(LockPath).With([Entry("1.3.2"), Entry("1.3.2") with { Recipe = "crane", Version = "0.21.9", Download = "crane" }]).ToText());

        var run = await UpdateAsync();

        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(await File.ReadAllTextAsync(_site.VersionsPath), Does.Contain("recipe: oras, versions: [1.3.9] } # behind"));
        Assert.That(LockFile.ReadIfThere(LockPath).Entries.Select(entry => $"{entry.Recipe} {entry.Version} {entry.Arch} {entry.Sha256[0]}"), Is.EqualTo(new[] { "crane 0.21.9 Amd64 c", "oras 1.3.9 Amd64 a", "oras 1.3.9 Arm64 b" }));

        static LockEntry Entry(string version) => new("oras", version, Arch.Amd64, "oras", "https://example.org/x", new string('c', 64), "https://example.org/list");
    }

    [Test]
    public async Task What_fails_its_signature_is_refused_and_the_others_are_proposed()
    {
        var key = _site.Upstream.MakeKey();
        var list = $"/other/v1.0.1/SHA256SUMS";
        File.WriteAllText(_site.RecipePath("other"), File.ReadAllText(_site.RecipePath("other")).Replace("SHA256SUMS' }", $"SHA256SUMS', signature: 'https://{_site.Host}/other/{{tag}}/SHA256SUMS.sig', key: {key} }}"));
        Release("tool", "1.3.0");
        Release("other", "1.0.1");
        var signed = System.Text.Encoding.UTF8.GetString(_site.Upstream.Files[StandIn.PathOf(new Uri($"https://{_site.Host}{list}"))]);
        _site.Upstream.Files[StandIn.PathOf(new Uri($"https://{_site.Host}{list}.sig"))] = _site.Upstream.Sign(signed, "--detach-sign");
        _site.Serve(list, signed.Replace(signed[..64], new string('0', 64)));
        var before = File.ReadAllText(_site.RecipePath("other"));

        var bad = await UpdateAsync();

        Assert.That(bad.Code, Is.EqualTo(2));
        Assert.That(bad.Error, Does.Contain("was changed after it was signed"));
        Assert.That(bad.Output, Does.StartWith("tool 1.2.3 → 1.3.0\n").And.EndWith("other: refused, The signature of the list of checksums is wrong: the list of checksums was changed after it was signed\n"));
        Assert.That((File.ReadAllText(_site.RecipePath("other")), File.ReadAllText(_site.VersionsPath)), Is.EqualTo((before, Versions.Replace("'1.2.3'", "'1.3.0'"))));

        _site.Serve(list, signed);
        var good = await UpdateAsync();
        Assert.That(good.Code, Is.Zero, good.Error);
        Assert.That(good.Output, Does.Contain($"other 1.0.0 → 1.0.1\n").And.Contain($", signed by {key}\n"));
    }

    [Test]
    public async Task What_has_no_sums_is_not_downloaded_but_told()
    {
        File.WriteAllText(_site.RecipePath("other"), File.ReadAllText(_site.RecipePath("other")).Replace($", sums: 'https://{_site.Host}/other/{{tag}}/SHA256SUMS'", ""));
        Release("other", "1.0.1");

        var run = await UpdateAsync();

        Assert.That((run.Code, run.Output), Is.EqualTo((0, "other: 1.0.1 is out, and upstream publishes no sums of other: lock it by hand (crust recipe lock other@1.0.1), and write it into the list\n")), run.Error);
        Assert.That(_site.Upstream.Requests.Select(request => request.Path), Has.None.Contains("other-amd64"));
    }

    [Test]
    public async Task A_dry_run_changes_nothing()
    {
        Release("tool", "1.3.0");
        var before = Texts();

        Assert.That((await UpdateAsync("--dry-run")).Output, Does.StartWith("tool 1.2.3 → 1.3.0\n"));
        Assert.That((Texts(), File.Exists(LockPath)), Is.EqualTo((before, false)));
    }

    [Test]
    public async Task A_recipe_is_updated_by_its_name_without_a_list()
    {
        File.Delete(_site.VersionsPath);
        Release("tool", "1.3.0");
        Release("other", "1.0.1");

        var run = await CommandLineRun.OfAsync(["recipe", "update", "tool", .. Options]);

        Assert.That((run.Code, run.Output.Split('\n')[0]), Is.EqualTo((0, "tool 1.2.3 → 1.3.0")), run.Error);
        Assert.That((_site.Upstream.Book.Get("tool").Versions[0].Version, _site.Upstream.Book.Get("other").Versions[0].Version), Is.EqualTo(("1.3.0", "1.0.0")));
    }

    [Test]
    public async Task What_belongs_to_a_version_belongs_to_the_next_one()
    {
        File.WriteAllText(_site.RecipePath("tool"), File.ReadAllText(_site.RecipePath("tool")).Replace("'1.2.3': {", "'1.2.3': { with: { other: '1.0.0' },"));
        Release("tool", "1.3.0");

        var run = await UpdateAsync();

        Assert.That(run.Code, Is.Zero, run.Error);
        Assert.That(_site.Upstream.Book.Get("tool").Versions[0].With, Is.EquivalentTo(new Dictionary<string, string> { ["other"] = "1.0.0" }));
    }

    private string[] Options => ["--lock", LockPath, "--recipes", _site.Upstream.Recipes, "--mirror", _site.Upstream.MirrorUrl, "--quiet"];

    private Task<CommandLineRun> UpdateAsync(params string[] more) => CommandLineRun.OfAsync(["recipe", "update", "--versions", _site.VersionsPath, .. Options, .. more]);

    private string Texts() => File.ReadAllText(_site.VersionsPath) + File.ReadAllText(_site.RecipePath("tool")) + File.ReadAllText(_site.RecipePath("other"));

    // As GitHub says it, with the lists of their sums.
    private void Release(string name, params string[] versions)
    {
        foreach (var version in versions)
        {
            _site.ServeVersion(name, version);
        }

        _site.Serve($"/{name}/releases.atom", $"<feed xmlns='http://www.w3.org/2005/Atom'>{string.Concat(versions.Select(version => $"<entry><link href='https://{_site.Host}/{name}/releases/tag/v{version}'/></entry>"))}</feed>");
    }

    private void Serve(string url, string text) => _site.Upstream.Files[StandIn.PathOf(new Uri(url))] = System.Text.Encoding.UTF8.GetBytes(text);
}
