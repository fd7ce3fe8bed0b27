using System.Collections.Immutable;
using System.Text;
using Crust.Recipes;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Tests.Cli;
using Crust.Trees;

namespace Crust.Tests.Recipes;

/// <summary>Locking against upstream's lists in all their forms, and fetching what is locked.</summary>
[CancelAfter(60_000)]
public sealed class RecipeLockTests
{
    private const string ToolUrl = "https://example.org/v1.2.3/tool-amd64";
    private const string ListUrl = "https://example.org/v1.2.3/SHA256SUMS";
    private static readonly byte[] Tool = Encoding.UTF8.GetBytes(new string('t', 300_000));
    private static readonly string Sum = StandIn.Sum(Tool);
    private static readonly string Other = new('0', 64);

    private StandIn _upstream = null!;
    private string _recipe = "";

    [SetUp]
    public void SetUp()
    {
        _upstream = new StandIn();
        _recipe = $$"""
            name: tool
            summary: A tool
            homepage: https://example.org
            license: MIT
            downloads:
              tool: { url: 'https://example.org/{tag}/tool-{arch}', archs: amd64, sums: 'https://example.org/{tag}/SHA256SUMS' }
            files:
              - { from: tool, to: /usr/bin/tool, mode: '755' }
            versions:
              1.2.3: { amd64: { } }

            """;
        Serve(ToolUrl, Tool);
        Serve(ListUrl, $"{Sum}  tool-amd64\n{Other}  tool-arm64\n");
    }

    [TearDown]
    public void TearDown() => _upstream.Dispose();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string LockPath => Path.Combine(_upstream.Folder, "crust.lock");

    [TestCase("SUM  tool-amd64")]
    [TestCase("SUM *tool-amd64")]
    [TestCase("SUM")]
    [TestCase("SUM  ./tool-amd64")]
    public async Task A_list_in_any_of_upstreams_forms_is_read(string line)
    {
        Serve(ListUrl, line.Replace("SUM", Sum) + "\n");

        Assert.That((await LockAsync()).Entries, Is.EqualTo(new[] { new LockEntry("tool", "1.2.3", Arch.Amd64, "tool", ToolUrl, Sum, ListUrl) }));
    }

    [Test]
    public async Task A_list_that_is_signed_in_the_clear_counts_if_its_key_signed_it()
    {
        var key = UseKey();
        Serve(ListUrl, _upstream.Sign($"{Sum} *tool-amd64\n", "--clearsign"));

        Assert.That((await LockAsync()).Entries.Single().Key, Is.EqualTo(key));
    }

    [Test]
    public async Task A_clear_signed_list_that_was_changed_is_refused()
    {
        UseKey();
        Serve(ListUrl, Encoding.UTF8.GetString(_upstream.Sign($"{Other} *tool-amd64\n", "--clearsign")).Replace(Other, Sum));

        AssertIs(await FailureAsync(() => LockAsync()), "changed after it was signed", ListUrl, "belong together");
    }

    [Test]
    public async Task A_list_that_another_key_signed_is_refused_even_if_that_key_is_beside_it()
    {
        var key = UseKey();
        var other = _upstream.MakeKey("other@example.org");
        var keys = Path.Combine(_upstream.Recipes, "keys");
        await File.AppendAllTextAsync(Path.Combine(keys, key + ".asc"), await File.ReadAllTextAsync(Path.Combine(keys, other + ".asc"), Cancellation), Cancellation);
        Serve(ListUrl, _upstream.Sign($"{Sum}  tool-amd64\n", "--clearsign", "other@example.org"));

        AssertIs(await FailureAsync(() => LockAsync()), "signed by another key", ListUrl, "holds that key alone");
    }

    [Test]
    public async Task A_list_that_should_be_signed_and_is_not_is_refused()
    {
        UseKey();

        AssertIs(await FailureAsync(() => LockAsync()), "isn't signed", ListUrl, "take key: out");
    }

    [Test]
    public async Task A_key_that_is_not_here_is_told_with_where_it_belongs()
    {
        _recipe = _recipe.Replace("SHA256SUMS' }", $"SHA256SUMS', key: {new string('A', 40)} }}");

        AssertIs(await FailureAsync(() => LockAsync()), "whose public key isn't here", "tool.yaml", $"recipes/keys/{new string('A', 40)}.asc");
    }

    [Test]
    public async Task A_list_without_the_name_is_refused_with_the_names_that_it_has()
    {
        Serve(ListUrl, $"{Sum}  tool-riscv64\n");

        AssertIs(await FailureAsync(() => LockAsync()), "no SHA-256 of tool-amd64", ListUrl, "tool-riscv64");
    }

    [Test]
    public async Task A_sum_that_contradicts_the_recipes_pin_is_refused()
    {
        _recipe = _recipe.Replace("amd64: { } }", $"amd64: {{ tool: '{Other}' }} }}");

        AssertIs(await FailureAsync(() => LockAsync()), "than the recipe pins", ListUrl, "don't take it unseen");
    }

    [Test]
    public async Task A_version_that_moved_since_it_was_locked_is_refused()
    {
        var locked = await LockAsync();
        Serve(ListUrl, $"{Other}  tool-amd64\n");

        AssertIs(await FailureAsync(() => LockAsync(locked)), "tool 1.2.3 has moved", LockPath, "remove the entry");
    }

    [Test]
    public async Task A_version_that_the_recipe_does_not_pin_can_be_locked_and_is_meant_then()
    {
        Serve("https://example.org/v1.3.0/tool-amd64", "new");
        Serve("https://example.org/v1.3.0/SHA256SUMS", $"{StandIn.Sum("new"u8.ToArray())}  tool-amd64\n");

        var locked = await LockAsync(version: "1.3.0");

        Assert.That(await File.ReadAllTextAsync((await FetchAsync(locked)).Path, Cancellation), Is.EqualTo("new"));
    }

    [Test]
    public async Task Where_no_sum_is_known_nothing_is_fetched_and_lock_is_named()
    {
        AssertIs(await FailureAsync(() => FetchAsync(LockFile.Empty(LockPath))), "No sum of tool of tool 1.2.3 for amd64 is known", "tool.yaml", "crust recipe lock tool@1.2.3");
        Assert.That(_upstream.Requests, Is.Empty);
    }

    [Test]
    public async Task A_lock_file_that_contradicts_the_recipe_is_refused_before_anything_is_fetched()
    {
        var locked = await LockAsync();
        _recipe = _recipe.Replace("amd64: { } }", $"amd64: {{ tool: '{Other}' }} }}");
        var asked = _upstream.Requests.Count;

        AssertIs(await FailureAsync(() => FetchAsync(locked)), "another sum", "crust.lock", "upstream's own list");
        Assert.That(_upstream.Requests, Has.Count.EqualTo(asked));
    }

    [Test]
    public async Task A_file_that_is_not_the_locked_one_is_refused_and_leaves_nothing()
    {
        var locked = await LockAsync();
        Serve(ToolUrl, "another");

        AssertIs(await FailureAsync(() => FetchAsync(locked)), "isn't the one that its sum is of", "tool-amd64", "crust recipe lock");
        Assert.That(Directory.GetFiles(Path.Combine(_upstream.Folder, "cache"), "tool-amd64", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task A_download_that_was_cut_off_goes_on_where_it_stopped()
    {
        var locked = await LockAsync();
        _upstream.CutAfter = request => request.Path.EndsWith("tool-amd64", StringComparison.Ordinal) && request.Header("Range") is null ? 100_000 : null;

        Assert.That(await File.ReadAllBytesAsync((await FetchAsync(locked)).Path, Cancellation), Is.EqualTo(Tool));
        Assert.That(_upstream.Requests[^1].Header("Range"), Is.EqualTo("bytes=100000-"));
    }

    [Test]
    public async Task What_a_mirror_served_is_not_fetched_from_upstream_again()
    {
        var locked = await LockAsync();
        await FetchAsync(locked);
        var asked = _upstream.Requests.Count;

        await _upstream.Sources.FetchAsync(locked, Picks(locked), [Arch.Amd64], null, null, Mirrors.None, Cancellation);

        Assert.That(_upstream.Requests, Has.Count.EqualTo(asked), "a mirror changes where bytes come from, and the cache doesn't care");
    }

    [Test]
    public async Task An_unsigned_list_is_not_taken_from_a_mirror_without_TLS()
    {
        var error = await FailureAsync(() => _upstream.Sources.LockAsync(_upstream.Book, LockFile.Empty(LockPath), Picks(LockFile.Empty(LockPath)), [], Mirrors.None.WithAll("http://mirror.example.org"), Cancellation));

        AssertIs(error, "plain HTTP", "http://mirror.example.org/example.org/v1.2.3/SHA256SUMS", "https");
    }

    [TestCase("version: '1'", "version: '2'", "version", "another version of Crust")]
    [TestCase("sha256: '", "sha256: 'x", "sha256", "isn't a SHA-256")]
    [TestCase("arch: amd64", "arch: sparc", "arch", "no architecture")]
    [TestCase("    from:", "    form:", "files", "'from' is missing")]
    public async Task A_lock_file_that_is_wrong_is_refused_with_its_place(string what, string instead, string where, string says)
    {
        var text = (await LockAsync()).ToText().Replace("version: 1\n", "version: '1'\n");
        Assert.That(text, Does.Contain(what));

        var error = Assert.Throws<CrustException>(() => LockFile.Parse(text.Replace(what, instead), "crust.lock"))!;
        Assert.That(error.Where, Does.StartWith("crust.lock:").And.Contain(where));
        Assert.That(error.What, Does.Contain(says));
    }

    [Test]
    public async Task The_command_line_locks_and_fetches()
    {
        await File.WriteAllTextAsync(Path.Combine(_upstream.Recipes, "tool.yaml"), _recipe, Cancellation);
        string[] options = ["--lock", LockPath, "--recipes", _upstream.Recipes, "--mirror", _upstream.MirrorUrl, "--quiet"];

        var locked = await CommandLineRun.OfAsync(["recipe", "lock", "tool", .. options]);
        Assert.That((locked.Code, locked.Output), Is.EqualTo((0, $"tool 1.2.3 amd64 tool\n  {Sum}\n  from {ListUrl}\n")), locked.Error);
        Assert.That(LockFile.ReadIfThere(LockPath).Entries, Has.Length.EqualTo(1));
        Assert.That(File.GetUnixFileMode(LockPath), Is.EqualTo(RecipeConfig.Plain));

        var fetched = await CommandLineRun.OfAsync(["recipe", "fetch", "tool", .. options]);
        Assert.That(fetched.Code, Is.Zero, fetched.Error);
        Assert.That(await File.ReadAllBytesAsync(fetched.Output.Split('\n')[1].Trim(), Cancellation), Is.EqualTo(Tool));

        var missing = await CommandLineRun.OfAsync(["recipe", "fetch", "tool", "--arch", "arm64", .. options]);
        Assert.That((missing.Code, missing.Error), Is.EqualTo((2, $"crust: The recipe tool has no tool for arm64\n  where: {_upstream.Recipes}/tool.yaml\n  to do: take amd64, or another piece of software\n")));
    }

    [TestCase("2.2.7", "keepalived", null)]
    [TestCase("2.3.3", "keepalived", "apt has keepalived 1:2.2.7-1, not 2.3.3")]
    [TestCase("2.2.7", "keepalife", "apt knows no package keepalife for amd64")]
    public async Task A_Debian_package_is_locked_by_what_apt_says(string version, string package, string? what)
    {
        _upstream.ServePackage("keepalived", "1:2.2.7-1", Arch.Amd64, [("usr/sbin/keepalived", "x")]);
        var hooked = Path.Combine(_upstream.Folder, "hooked");
        var hooks = Directory.CreateDirectory(Path.Combine(_upstream.Folder, "apt", "apt.conf.d")).FullName;
        await File.WriteAllTextAsync(Path.Combine(hooks, "hook"), $"APT::Update::Pre-Invoke {{ \"touch {hooked}\"; }};\n", Cancellation);
        _recipe = _recipe.Replace("{ url: 'https://example.org/{tag}/tool-{arch}', archs: amd64, sums: 'https://example.org/{tag}/SHA256SUMS' }", $"{{ package: {package}, archs: amd64 }}")
            .Replace("from: tool", "from: 'tool:usr/sbin/keepalived'").Replace("1.2.3: { amd64: { } }", $"{version}: {{ }}");
        if (what is not null)
        {
            AssertIs(await FailureAsync(() => LockAsync()), what, "tool.yaml", "lock");
            return;
        }

        var locked = await LockAsync();

        Assert.That(locked.Entries.Single().From, Is.EqualTo(LockFile.FromApt));
        Assert.That(File.Exists(hooked), Is.False, "a hook of this host's apt doesn't run");
        Assert.That(StandIn.Sum(await File.ReadAllBytesAsync((await FetchAsync(locked)).Path, Cancellation)), Is.EqualTo(locked.Entries.Single().Sha256));
        AssertIs(await FailureAsync(() => FetchAsync(LockFile.Empty(LockPath))), "No sum", "tool.yaml", "crust recipe lock");
    }

    [Test]
    public async Task The_command_line_builds_an_extension_of_a_locked_recipe()
    {
        await File.WriteAllTextAsync(Path.Combine(_upstream.Recipes, "tool.yaml"), _recipe, Cancellation);
        var output = Path.Combine(_upstream.Folder, "out");
        string[] options = ["--lock", LockPath, "--recipes", _upstream.Recipes, "--mirror", _upstream.MirrorUrl, "--quiet"];
        await CommandLineRun.OfAsync(["recipe", "lock", "tool", .. options]);

        var built = await CommandLineRun.OfAsync(["sysext", "build", "tool", "--output", output, .. options]);
        var missing = await CommandLineRun.OfAsync(["sysext", "build", "tool", "--arch", "arm64", "--output", output, .. options]);
        var unknown = await CommandLineRun.OfAsync(["sysext", "build", "tol", "--output", output, .. options]);
        var read = await new SysextReader(StandIn.Tools).ReadAsync(Path.Combine(output, "tool-1.2.3-x86-64.raw"), _upstream.Folder, Cancellation);

        Assert.That(built.Code, Is.Zero, built.Error);
        Assert.That(read.Tree.Entries.Where(entry => entry.Kind is EntryKind.File).Select(entry => entry.Path),
            Is.EqualTo(new[] { "usr/bin/tool", "usr/lib/extension-release.d/extension-release.tool" }));
        Assert.That(read.Tree.Find("usr/bin/tool")!.Content.Read(0, Tool.Length), Is.EqualTo(Tool));
        Assert.That((missing.Code, unknown.Code), Is.EqualTo((2, 2)));
        Assert.That(missing.Error, Does.Contain("has no tool for arm64"));
        Assert.That(unknown.Error, Does.Contain("There is no recipe 'tol'").And.Contain("did you mean 'tool'?"));
    }

    private string UseKey()
    {
        var key = _upstream.MakeKey();
        _recipe = _recipe.Replace("SHA256SUMS' }", $"SHA256SUMS', key: {key} }}");
        return key;
    }

    private void Serve(string url, string text) => Serve(url, Encoding.UTF8.GetBytes(text));

    private void Serve(string url, byte[] bytes) => _upstream.Files[StandIn.PathOf(new Uri(url))] = bytes;

    private ImmutableArray<RecipePick> Picks(LockFile locked, string? version = null)
    {
        File.WriteAllText(Path.Combine(_upstream.Recipes, "tool.yaml"), _recipe);
        return new RecipePicks(_upstream.Book, locked).WithDependents("tool", version);
    }

    private Task<LockFile> LockAsync(LockFile? before = null, string? version = null) =>
        _upstream.Sources.LockAsync(_upstream.Book, before ?? LockFile.Empty(LockPath), Picks(before ?? LockFile.Empty(LockPath), version), [], _upstream.Mirrors, Cancellation);

    private async Task<FetchedDownload> FetchAsync(LockFile locked) => (await _upstream.Sources.FetchAsync(locked, Picks(locked), [Arch.Amd64], null, null, _upstream.Mirrors, Cancellation)).Single();

    private static async Task<CrustException> FailureAsync<T>(Func<Task<T>> work) => (await Assert.ThrowsAsync<CrustException>(async () => await work()))!;

    private static void AssertIs(CrustException error, string what, string where, string remedy)
    {
        Assert.That(error.What, Does.Contain(what));
        Assert.That(error.Where, Does.Contain(where));
        Assert.That(error.Remedy, Does.Contain(remedy));
    }
}
