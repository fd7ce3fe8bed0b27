using Crust.Recipes.Sources;
using Crust.Sysexts;
using Crust.Sysexts.Baking;
using Crust.Tests.Cli;
using Crust.Tests.Recipes;
using Crust.Tools;

namespace Crust.Tests.Sysexts;

/// <summary>`crust sysext bake`: folders that are built, published and continued, with a real web server in upstream's place, real mksquashfs and GnuPG.</summary>
[CancelAfter(120_000)]
public sealed class BakeryTests
{
    private static readonly string[] All = ["other-1.0.0-x86-64.raw", "tool-1.1.0-arm64.raw", "tool-1.1.0-x86-64.raw", "tool-1.2.3-arm64.raw", "tool-1.2.3-x86-64.raw"];

    private BakeSite _site = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _site = new BakeSite();

    [TearDown]
    public void TearDown() => _site.Dispose();

    [Test]
    public async Task A_first_run_builds_all_and_a_second_one_nothing()
    {
        var first = await _site.BakeAsync();
        var request = _site.Request();
        var index = await _site.IndexAsync(request, first);
        var (before, asked) = (Facts(), _site.Upstream.Requests.Count);

        var second = await _site.BakeAsync(request);

        Assert.That(_site.Extensions, Is.EqualTo(All));
        Assert.That(Names(first.Built), Is.EquivalentTo(All));
        Assert.That((Names(second.Kept), second.Built, second.Failed), Is.EqualTo((Names(first.Built), first.Built.Clear(), first.Failed)));
        Assert.That(index.Written, Has.Some.EqualTo("tool.transfer").And.Some.EqualTo("SHA256SUMS"));
        Assert.That((await _site.IndexAsync(request, second)).Written, Is.Empty, "an index that says the same stays, with its signature");
        Assert.That((Facts(), _site.Upstream.Requests.Count), Is.EqualTo((before, asked)), "no file is touched, and upstream isn't asked");
    }

    [TestCase("versions", "'1.1.0'", "'1.1.9'", "tool-1.1.9-arm64.raw tool-1.1.9-x86-64.raw")]
    [TestCase("versions", "reload: true", "reload: false", "other-1.0.0-x86-64.raw")]
    [TestCase("versions", "reload: true", "reload: true, epoch: 7", "other-1.0.0-x86-64.raw")]
    [TestCase("versions", "reload: true", "reload: true, format: erofs", "other-1.0.0-x86-64.raw")]
    [TestCase("versions", "reload: true", "reload: true, osVersion: 13", "other-1.0.0-x86-64.raw")]
    [TestCase("versions", "# the other one", "# a remark", "")]
    [TestCase("recipe", "/usr/bin/other", "/usr/bin/another", "other-1.0.0-x86-64.raw")]
    [TestCase("recipe", "mode: '755'", "mode: '750'", "other-1.0.0-x86-64.raw")]
    [TestCase("recipe", "summary: A tool", "summary: The same # and a remark", "")]
    [TestCase("recipe", "versions:\n", "versions:\n  '1.0.1': { amd64: { other: 0000000000000000000000000000000000000000000000000000000000000000 } }\n", "")]
    public async Task What_changes_an_extension_builds_that_one_again_and_no_other(string file, string what, string instead, string built)
    {
        _site.WriteRecipe("tool", "1.2.3", "1.1.9", "1.1.0");
        await _site.BakeAsync();
        var path = file == "versions" ? _site.VersionsPath : _site.RecipePath("other");
        var text = await File.ReadAllTextAsync(path, Cancellation);
        Assert.That(text, Does.Contain(what));

        await File.WriteAllTextAsync(path, text.Replace(what, instead), Cancellation);

        Assert.That(string.Join(' ', Names((await _site.BakeAsync()).Built).Order(StringComparer.Ordinal)), Is.EqualTo(built));
    }

    [Test]
    public async Task One_that_fails_keeps_no_other_from_being_built_and_leaves_nothing()
    {
        _site.Upstream.Files.Remove(StandIn.PathOf(new Uri($"https://{_site.Host}/tool/v1.1.0/tool-arm64")));

        var result = await _site.BakeAsync();

        Assert.That(_site.Extensions, Is.EqualTo(All.Where(name => name != "tool-1.1.0-arm64.raw")));
        Assert.That(BakeSite.FilesIn(_site.Folder), Has.None.Contains("tool-1.1.0-arm64").And.None.StartsWith("."));
        Assert.That(result.Failed.Select(failure => failure.FileName), Is.EqualTo(new[] { "tool-1.1.0-arm64.raw" }));
        Assert.That(result.Failed[0].Error.Where, Does.StartWith($"{_site.VersionsPath}:6:5, extensions[0]; "));
        _site.ServeVersion("tool", "1.1.0");
        Assert.That(Names((await _site.BakeAsync()).Built), Is.EqualTo(new[] { "tool-1.1.0-arm64.raw" }), "the next run builds what is missing");
    }

    [TestCase("recipe: other", "recipe: othr", "did you mean 'other'?")]
    [TestCase("'1.0.0'", "'2.0.0'", "crust recipe lock other@2.0.0")]
    public async Task An_unknown_recipe_or_version_is_said_with_its_line_and_the_others_are_built(string what, string instead, string remedy)
    {
        var result = await _site.BakeAsync(_site.Request(BakeSite.Versions.Replace(what, instead)));

        Assert.That((result.Built.Length, result.Failed.Length), Is.EqualTo((4, 1)));
        Assert.That(result.Failed[0].Error.Where, Does.StartWith($"{_site.VersionsPath}:7:5, extensions[1]; "));
        Assert.That(result.Failed[0].Error.Remedy, Does.Contain(remedy));
    }

    [Test]
    public async Task What_is_published_stays_when_the_list_goes_on()
    {
        await _site.BakeAsync();
        _site.WriteRecipe("tool", "1.3.0", "1.2.3", "1.1.0");
        var copy = _site.Download();
        var request = _site.Request(BakeSite.Versions.Replace("['1.2.3', '1.1.0']", "['1.3.0']"), copy);

        var result = await _site.BakeAsync(request);
        await _site.IndexAsync(request, result);

        Assert.That(Names(result.Built).Order(StringComparer.Ordinal), Is.EqualTo(new[] { "tool-1.3.0-arm64.raw", "tool-1.3.0-x86-64.raw" }));
        Assert.That(File.ReadLines(Path.Combine(copy, SysextIndex.ListName)).Select(line => line.Split(' ')[^1]), Is.EqualTo(All.Concat(["tool-1.3.0-arm64.raw", "tool-1.3.0-x86-64.raw"]).Order(StringComparer.Ordinal)));
        Assert.That(BakedList.ReadIfThere(copy).Files.Select(file => file.FileName), Has.Exactly(7).Items);
    }

    [Test]
    public async Task The_lists_of_a_publication_are_enough_to_go_on_from_it()
    {
        await _site.IndexAsync(_site.Request(), await _site.BakeAsync());
        _site.WriteRecipe("other", "1.0.1", "1.0.0");
        var copy = _site.Download(SysextIndex.ListName, BakedList.FileName);
        var request = _site.Request(BakeSite.Versions.Replace("'1.0.0'", "'1.0.1'"), copy) with { IsPartial = true };

        var result = await _site.BakeAsync(request);
        var index = await _site.IndexAsync(request, result);

        Assert.That((Names(result.Built), Names(result.Kept).Length), Is.EqualTo((new[] { "other-1.0.1-x86-64.raw" }, 4)));
        Assert.That(BakeSite.FilesIn(copy, "*.raw"), Is.EqualTo(new[] { "other-1.0.1-x86-64.raw" }));
        Assert.That(File.ReadLines(Path.Combine(copy, SysextIndex.ListName)).Count(), Is.EqualTo(6));
        Assert.That(index.Written, Has.Some.EqualTo("tool.transfer"), "what isn't here is still published");
        Assert.That((await _site.BakeAsync(request with { IsPartial = false })).Built, Has.Length.EqualTo(4), "without --partial all has to be there");
    }

    [Test]
    public async Task A_run_goes_on_from_what_a_web_server_has([Values] bool isPartial)
    {
        var (url, copy) = (new Uri(_site.Upstream.UrlOf("stable/")), Path.Combine(_site.Upstream.Folder, "next"));
        var request = _site.Request(folder: copy) with { Continue = url, IsPartial = isPartial };
        Assert.That((await Assert.ThrowsAsync<CrustException>(async () => await _site.BakeAsync(request)))!.Message, Does.Contain("Nothing is published there").And.Contain("--first"));
        Assert.That((await _site.BakeAsync(request with { MayBeFirst = true })).Built, Has.Length.EqualTo(5));
        Directory.Delete(copy, recursive: true);
        await _site.IndexAsync(_site.Request(), await _site.BakeAsync());
        foreach (var file in Directory.GetFiles(_site.Folder))
        {
            _site.Upstream.Files["/stable/" + Path.GetFileName(file)] = await File.ReadAllBytesAsync(file, Cancellation);
        }

        var result = await _site.BakeAsync(request);

        Assert.That((result.Built, result.Kept.Length, BakeSite.FilesIn(copy, "*.raw").Count()), Is.EqualTo((result.Built.Clear(), 5, isPartial ? 0 : 5)));
        Assert.That(BakeSite.FilesIn(copy, "*.json").Count(), Is.EqualTo(isPartial ? 1 : 11), "bakery.json, and an SBOM and a provenance of each file");
    }

    [TestCase("sbom.spdx.json")]
    [TestCase("provenance.json")]
    public async Task Documents_that_are_not_of_a_published_file_are_left_out_and_named(string changed)
    {
        var copy = Path.Combine(_site.Upstream.Folder, "next");
        await _site.IndexAsync(_site.Request(), await _site.BakeAsync());
        foreach (var file in Directory.GetFiles(_site.Folder))
        {
            // That of another version; what an SBOM's own bytes are, its provenance says.
            var served = file.EndsWith(changed, StringComparison.Ordinal) ? file.Replace("tool-1.1.0", "tool-1.2.3", StringComparison.Ordinal) : file;
            _site.Upstream.Files["/stable/" + Path.GetFileName(file)] = await File.ReadAllBytesAsync(served, Cancellation);
        }

        var result = await _site.BakeAsync(_site.Request(folder: copy) with { Continue = new Uri(_site.Upstream.UrlOf("stable/")) });

        Assert.That(result.Kept, Has.Length.EqualTo(5));
        Assert.That(BakeSite.FilesIn(copy, "*.json").Where(name => name.StartsWith("tool-", StringComparison.Ordinal)), Is.EqualTo(new[]
        {
            "tool-1.2.3-arm64.provenance.json", "tool-1.2.3-arm64.sbom.spdx.json", "tool-1.2.3-x86-64.provenance.json", "tool-1.2.3-x86-64.sbom.spdx.json",
        }));
        Assert.That(_site.Upstream.Events.Events.OfType<BuildEvent.Warned>().Select(warned => warned.Message), Has.Some.StartsWith("The provenance of tool-1.1.0-arm64.raw that is published isn't of this file"));
    }

    [Test]
    public async Task What_was_damaged_is_built_again()
    {
        await _site.BakeAsync();
        await File.AppendAllTextAsync(Path.Combine(_site.Folder, All[2]), "x", Cancellation);

        Assert.That(Names((await _site.BakeAsync()).Built), Is.EqualTo(new[] { All[2] }));
    }

    [Test]
    public async Task A_publication_counts_only_if_its_key_has_signed_it()
    {
        var fingerprint = _site.Upstream.MakeKey();
        var keys = Path.Combine(_site.Upstream.Recipes, "keys", fingerprint + ".asc");
        await _site.IndexAsync(_site.Request(), await _site.BakeAsync(), fingerprint);
        BakeRequest Signed(string folder, string? versions = null) => _site.Request(versions, folder) with { Keys = keys };

        Assert.That((await _site.BakeAsync(Signed(_site.Download()))).Kept, Has.Length.EqualTo(5));

        // A file that is wanted, and with it what says by which sum it was built.
        var other = _site.Download();
        await ReplaceAsync(other, All[0]);
        Assert.That(Names((await _site.BakeAsync(Signed(other))).Built), Is.EqualTo(new[] { All[0] }));

        // One that isn't wanted any more, and would be signed unseen.
        var old = _site.Download();
        await ReplaceAsync(old, All[0]);
        await FailsAsync(Signed(old, BakeSite.Versions.Replace("  - { recipe: other, versions: ['1.0.0'], reload: true } # the other one\n", "")), "isn't the one whose checksum was signed", All[0]);

        // The list itself.
        var list = _site.Download();
        await File.AppendAllTextAsync(Path.Combine(list, SysextIndex.ListName), $"{new string('0', 64)}  tool-9.9.9-x86-64.raw\n", Cancellation);
        await FailsAsync(Signed(list), "was changed after it was signed", SysextIndex.ListName);
        File.Delete(Path.Combine(list, SysextIndex.SignatureName));
        await FailsAsync(Signed(list), "isn't signed", SysextIndex.SignatureName);

        async Task ReplaceAsync(string folder, string name)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name), "something else", Cancellation);
            var sum = StandIn.Sum(await File.ReadAllBytesAsync(Path.Combine(folder, name), Cancellation));
            var known = BakedList.ReadIfThere(folder);
            known.With(known.Find(name)! with { Sha256 = sum }).Write(folder);
        }

        async Task FailsAsync(BakeRequest request, string what, string where)
        {
            var error = (await Assert.ThrowsAsync<CrustException>(async () => await _site.BakeAsync(request)))!;
            Assert.That(error.What, Does.Contain(what));
            Assert.That(error.Where, Does.Contain(where));
            Assert.That(File.Exists(Path.Combine(request.Folder, "tool-9.9.9-x86-64.raw")), Is.False);
        }
    }

    [Test]
    public async Task What_is_fetched_is_built_without_a_network()
    {
        var fetched = await _site.Bakery.FetchAsync(_site.Request(), Cancellation);
        var asked = _site.Upstream.Requests.Count;
        Assert.That((fetched.Built.Length, Directory.Exists(_site.Folder)), Is.EqualTo((5, false)));

        var result = await _site.BakeAsync(_site.Request() with { Mirrors = Mirrors.None.WithAll("http://127.0.0.1:1") });

        Assert.That((result.Built.Length, result.Failed), Is.EqualTo((5, result.Failed.Clear())));
        Assert.That(_site.Upstream.Requests, Has.Count.EqualTo(asked));
    }

    [Test]
    public async Task A_signed_disk_image_is_built_again_for_another_certificate()
    {
        async Task<(string Key, string Certificate)> KeyAsync(string name)
        {
            var (key, certificate) = (Path.Combine(_site.Upstream.Folder, name + ".pem"), Path.Combine(_site.Upstream.Folder, name + ".crt"));
            await _site.Tools.RunAsync(ToolCommand.Of("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", key, "-out", certificate), Cancellation);
            return (key, certificate);
        }

        var request = _site.Request(BakeSite.Versions.Replace("reload: true", "format: ddi")) with { Signer = await KeyAsync("one") };
        await _site.BakeAsync(request);

        Assert.That((await _site.BakeAsync(request)).Built, Is.Empty);
        Assert.That(Names((await _site.BakeAsync(request with { Signer = await KeyAsync("two") })).Built), Is.EqualTo(new[] { "other-1.0.0-x86-64.raw" }));
    }

    [Test]
    public async Task The_command_builds_indexes_and_ends_with_the_code_of_what_failed()
    {
        string[] bake = ["sysext", "bake", _site.VersionsPath, "--output", _site.Folder, "--recipes", _site.Upstream.Recipes, "--lock", Path.Combine(_site.Upstream.Folder, "crust.lock"), "--mirror", _site.Upstream.MirrorUrl, "--quiet"];

        var first = await CommandLineRun.OfAsync(bake);
        var second = await CommandLineRun.OfAsync([.. bake, "--json"]);
        File.WriteAllText(_site.VersionsPath, BakeSite.Versions.Replace("recipe: other", "recipe: othr"));
        var third = await CommandLineRun.OfAsync(bake);
        File.WriteAllText(_site.VersionsPath, BakeSite.Versions.Replace("url: https://extensions.example.org/stable\n", ""));
        var fourth = await CommandLineRun.OfAsync(bake);

        Assert.That(first.Code, Is.Zero, first.Error);
        Assert.That(first.Output.Split('\n').Select(line => line.Split(' ')[0]), Is.EqualTo(Enumerable.Repeat("built", 5).Concat(Enumerable.Repeat("written", 7)).Append("")));
        Assert.That((second.Code, System.Text.Json.Nodes.JsonNode.Parse(second.Output)!["kept"]!.AsArray().Count, System.Text.Json.Nodes.JsonNode.Parse(second.Output)!["written"]!.AsArray().Count), Is.EqualTo((0, 5, 0)), second.Error);
        Assert.That(third.Code, Is.EqualTo(2));
        Assert.That(third.Error, Does.Contain("There is no recipe 'othr'"));
        Assert.That(third.Output, Does.Contain("failed   othr-1.0.0-x86-64.raw\n"));
        Assert.That((fourth.Code, fourth.Error), Is.EqualTo((2, $"crust: Nothing says where the folder will be served\n  where: {_site.VersionsPath}\n  to do: write url: into it, or give --url; with --no-index none is needed\n")));
    }

    private static string[] Names(IEnumerable<BakedFile> files) => [.. files.Select(file => file.FileName)];

    private string Facts() => string.Join('\n', Directory.GetFiles(_site.Folder).Order(StringComparer.Ordinal).Select(path => $"{path} {File.GetLastWriteTimeUtc(path):O} {StandIn.Sum(File.ReadAllBytes(path))}"));
}
