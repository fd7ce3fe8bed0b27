using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Sysexts;
using Crust.Sysexts.Baking;
using Crust.Tests.Registries;
using Crust.Tests.Sysexts;
using Crust.Tools;

namespace Crust.Tests.Deploy;

/// <summary>
/// What `deploy/` has for a bakery of system extensions, run: the shell of each step as it stands there, with the real program, real GnuPG and git, and web servers and a registry of this host. What
/// is played is what isn't here: Docker, GitHub's command line, and who starts the jobs.
/// </summary>
[CancelAfter(180_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed partial class ExtensionsTests : IDisposable
{
    // As the image's entrypoint would, where the folders are the same as outside; nothing comes in that wasn't named, and without a network nothing is reached.
    private const string Docker = """
        #!/bin/sh
        printf '%s\n' "$*" >>"$LOGS/docker"
        case $1 in login) exec cat >>"$LOGS/docker" ;; logout) exit ;; esac
        shift
        outer=$REPO; unset REPO SIGN_PASSPHRASE GH_TOKEN GPG_KEY
        while [ "$1" != "$BUILDER" ]; do
            case $1 in
            --network) shift; export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 ;;
            --volume) shift; case $1 in *:/cache) export CRUST_CACHE="${1%:/cache}" ;; *:/gpg) gpg=${1%:/gpg} ;; *:/login:ro) echo '{}' >"$LOGS/login.json"; export REGISTRY_AUTH_FILE="$LOGS/login.json" ;; esac ;;
            --env) shift; case $1 in GNUPGHOME=/gpg) export GNUPGHOME="$gpg" ;; REPO) export REPO="$outer" ;; esac ;;
            --workdir) shift; cd "$1" ;;
            --rm) ;;
            *) shift ;;
            esac
            shift
        done
        shift
        echo "$* ${REGISTRY_AUTH_FILE:+with a login} ${GNUPGHOME:+with a key}" >>"$LOGS/crust"
        exec crust "$@"
        """;

    // Releases are a folder each; pull requests a line.
    private const string GitHubsProgram = """
        #!/bin/sh
        echo "$*" >>"$LOGS/gh"
        case "$1 $2" in
        "release list") ls "$RELEASES" ;;
        "release create") mkdir "$RELEASES/$3" ;;
        "release upload") to=$RELEASES/$3; shift 4; cp "$@" "$to" ;;
        "pr list") if [ -e "$LOGS/pr" ]; then echo 1; else echo 0; fi ;;
        "pr create") : >"$LOGS/pr" ;;
        esac
        """;

    private readonly BakeSite _site = new();
    private readonly string _key;

    public ExtensionsTests()
    {
        _key = _site.Upstream.MakeKey("edge@example.org");
        Directory.CreateDirectory(Logs);
        Directory.CreateDirectory(Releases);
        Directory.CreateDirectory(Work);
        Program("docker", Docker);
        Program("gh", GitHubsProgram);
        Program("crust", $"#!/bin/sh\nexec '{Path.Combine(AppContext.BaseDirectory, "Crust.Cli")}' \"$@\"\n");
        _site.Upstream.Served["/extensions/"] = Path.Combine(Releases, "extensions");
        Write("versions.yaml", BakeSite.Versions.Replace("https://extensions.example.org/stable", _site.Upstream.UrlOf("extensions")));
        Write("crust.mirrors.yaml", $"mirrors: {{ 'https://{_site.Host}/': '{_site.Upstream.MirrorUrl}/{_site.Host}/' }}\n");
        Write("crust.yaml", "version: 1\npublish: { tls: false }\n");
        File.Copy(Path.Combine(_site.Upstream.Recipes, "keys", _key + ".asc"), Path.Combine(Work, "extensions.asc"));
        CopyRecipes();
    }

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Logs => Path.Combine(_site.Upstream.Folder, "logs");

    private string Releases => Path.Combine(_site.Upstream.Folder, "releases");

    private string Work => Path.Combine(_site.Upstream.Folder, "work");

    private string Published => Path.Combine(Releases, "extensions");

    private string[] Listed => [.. File.ReadLines(Path.Combine(Published, SysextIndex.ListName)).Select(line => line.Split(' ')[^1])];

    public void Dispose() => _site.Dispose();

    [Test]
    public async Task GitHubs_steps_publish_a_release_and_the_next_run_adds_what_is_new_to_it()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        var job = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHubExtensions)).Single().At("jobs", "extensions")!;

        Assert.That(await RunAsync(first: true), Is.EqualTo((true, 0)));
        Assert.That(Listed, Has.Length.EqualTo(5));
        await VerifyAsync();
        Assert.That(File.ReadAllText(Path.Combine(Published, "tool.transfer")), Does.Contain("Verify=yes").And.Contain($"Path={_site.Upstream.UrlOf("extensions/")}"));
        Assert.That(File.ReadLines(Path.Combine(Logs, "crust")).Select(line => line.Trim()), Is.EqualTo(new[]
        {
            "sysext bake --output extensions --partial --continue --first --keyring extensions.asc --fetch-only", "sysext bake --output extensions --partial --keyring extensions.asc --no-index",
            $"sysext bake --output extensions --partial --index-only --sign-gpg-key {_key}  with a key", "sysext publish extensions with a login",
        }));
        Assert.That(File.ReadLines(Path.Combine(Logs, "gh")).Where(line => line.StartsWith("release upload", StringComparison.Ordinal)).Select(line => line.Split('/')[^1]), Is.EqualTo(new[] { "bakery.json", "SHA256SUMS.gpg", "SHA256SUMS" }), "the list comes last");
        Assert.That((await _site.Tools.RunAsync(ToolCommand.Of("skopeo", "list-tags", "--tls-verify=false", $"docker://{registry.Host}/edge/extensions/tool"), Cancellation)).Output, Does.Contain("\"1.2.3\"").And.Contain("1.1.0-arm64"));

        Fresh();
        Assert.That(await RunAsync(), Is.EqualTo((false, 0)), "nothing is due, so nothing is signed or published");

        // A newer version, and one that can't be had.
        _site.WriteRecipe("tool", "1.3.0", "1.2.3", "1.1.0");
        _site.WriteRecipe("other", "1.0.1", "1.0.0");
        _site.Serve("/other/v1.0.1/other-amd64", "not what its sum is of");
        CopyRecipes();
        Write("versions.yaml", File.ReadAllText(Path.Combine(Work, "versions.yaml")).Replace("'1.2.3', '1.1.0'", "'1.3.0'").Replace("'1.0.0'", "'1.0.1'"));
        Fresh();
        Assert.That(await RunAsync(), Is.EqualTo((true, 5)), "what wasn't fetched would need a network");
        Assert.That(Listed, Has.Length.EqualTo(7).And.Some.EqualTo("tool-1.3.0-arm64.raw").And.Some.EqualTo("tool-1.1.0-x86-64.raw").And.Some.EqualTo("other-1.0.0-x86-64.raw").And.None.EqualTo("other-1.0.1-x86-64.raw"));
        await VerifyAsync();

        // Somebody who may change the release, but doesn't have the key.
        await File.AppendAllTextAsync(Path.Combine(Published, SysextIndex.ListName), $"{new string('0', 64)}  tool-9.0.0-x86-64.raw\n", Cancellation);
        Fresh();
        Assert.That(async () => await RunAsync(), Throws.TypeOf<ToolFailedException>().With.Message.Contains("BAD signature"));

        async Task<(bool IsPublished, int Code)> RunAsync(bool first = false)
        {
            var secret = (await _site.Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", Path.Combine(_site.Upstream.Folder, "gpg"), "--batch", "--armor", "--export-secret-keys", _key), Cancellation)).Output;
            var outputs = Path.Combine(Logs, "outputs");
            File.WriteAllText(outputs, "");
            var steps = job.Items("steps").Where(step => step.At("run") is not null).ToDictionary(step => step.Text("name")!, step => step.Text("run")!);
            (string, string)[] variables = [("GITHUB_OUTPUT", outputs), ("GITHUB_ACTOR", "actor"), ("GH_TOKEN", "token-of-github"), ("REGISTRY", "ghcr.io"), ("RELEASE", "extensions"), ("REPO", $"{registry.Host}/edge/extensions")];
            await ShellAsync("bash", steps["Fetch"], [.. variables, ("FIRST", first ? "--first" : "")]);
            await ShellAsync("bash", steps["Build"], variables);
            var isBuilt = File.ReadAllText(outputs).Contains("built=true\n");
            if (isBuilt)
            {
                await ShellAsync("bash", steps["Sign and publish"], [.. variables, ("GPG_KEY", secret)]);
            }

            var code = CodeForm().Match(File.ReadAllText(outputs)).Groups[1].Value;
            return (isBuilt, (await ShellAsync("bash", steps["Say what failed"], [("CODE", code)])).ExitCode);
        }
    }

    [Test]
    public async Task GitHubs_proposal_is_a_pull_request_of_what_pins_and_nothing_else()
    {
        var origin = await RepositoryAsync();
        var steps = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHubUpdate)).Single().Items("jobs", "propose", "steps").Where(step => step.At("run") is not null).ToDictionary(step => step.Text("name")!, step => step.Text("run")!);
        (string, string)[] variables = [("GITHUB_OUTPUT", Path.Combine(Logs, "outputs")), ("BRANCH", "crust/newer-versions"), ("GITHUB_REF_NAME", "main")];

        await ShellAsync("bash", steps["Ask upstream"], variables);
        Assert.That((await ShellAsync("bash", steps["Open a pull request"], variables)).Output, Does.Contain("nothing is newer"));
        Release("1.3.0");
        await ShellAsync("bash", steps["Ask upstream"], variables);
        await ShellAsync("bash", steps["Open a pull request"], variables);

        Assert.That(await GitAsync(origin, "diff", "--name-only", "main", "crust/newer-versions"), Is.EqualTo("recipes/tool.yaml\nversions.yaml\n"));
        Assert.That(await GitAsync(origin, "show", "crust/newer-versions:versions.yaml"), Does.Contain("['1.3.0', '1.1.0']").And.Contain("# the other one"));
        Assert.That(await GitAsync(origin, "log", "-1", "--format=%B", "crust/newer-versions"), Does.StartWith("Take upstream's newer versions\n\ntool 1.2.3 → 1.3.0\n").And.Contain(_site.Host));
        Assert.That(File.ReadAllText(Path.Combine(Logs, "gh")), Does.Contain("pr create --base main --head crust/newer-versions"));
        Assert.That(File.ReadLines(Path.Combine(Logs, "crust")).Select(line => line.Trim()), Is.All.EqualTo("recipe update"), "without a login");
    }

    [Test]
    public async Task GitLabs_jobs_publish_pages_and_propose_a_merge_request()
    {
        var origin = await RepositoryAsync();
        await GitAsync(origin, "config", "receive.advertisePushOptions", "true");
        Program("../origin.git/hooks/pre-receive", "#!/bin/sh\nenv | grep ^GIT_PUSH_OPTION | sort >../logs/options\n");
        var jobs = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitLabExtensions)).Single();
        var secret = Path.Combine(_site.Upstream.Folder, "secret.asc");
        await File.WriteAllTextAsync(secret, (await _site.Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", Path.Combine(_site.Upstream.Folder, "gpg"), "--batch", "--armor", "--export-secret-keys", _key), Cancellation)).Output, Cancellation);

        await JobAsync("extensions", ("FIRST", "--first"));
        await JobAsync("pages", ("EXTENSIONS_GPG_KEY", secret));
        Assert.That((await JobAsync("extensions-check")).ExitCode, Is.Zero);
        Deploy();
        Assert.That(Listed, Has.Length.EqualTo(5));
        await VerifyAsync();

        // The next one goes on from the pages, and has all that they have.
        Release("1.3.0");
        await JobAsync("extensions-propose");
        await JobAsync("extensions-merge-request", ("PROPOSAL_TOKEN", "token"));
        Assert.That(File.ReadAllLines(Path.Combine(Logs, "options")), Has.Some.EqualTo("GIT_PUSH_OPTION_0=merge_request.create").And.Some.EqualTo("GIT_PUSH_OPTION_1=merge_request.target=main"));
        Assert.That(await GitAsync(origin, "diff", "--name-only", "main", "crust/newer-versions"), Is.EqualTo("recipes/tool.yaml\nversions.yaml\n"));
        await JobAsync("extensions");
        await JobAsync("pages", ("EXTENSIONS_GPG_KEY", secret));
        Deploy();
        Assert.That(Listed, Has.Length.EqualTo(7).And.Some.EqualTo("tool-1.3.0-arm64.raw"));
        Assert.That(BakeSite.FilesIn(Published, "*.raw"), Is.EqualTo(Listed), "pages have all of it each time");
        await VerifyAsync();

        // GitLab serves what the job `pages` leaves in public; the next job begins with a checkout of its own.
        void Deploy()
        {
            if (Directory.Exists(Published))
            {
                Directory.Delete(Published, recursive: true);
            }

            Directory.Move(Path.Combine(Work, "public"), Published);
        }

        Task<ToolResult> JobAsync(string name, params (string, string)[] more) => ShellAsync("sh", string.Join('\n', jobs.Items(name, "script").Select(line => line.ToString())),
            [("CRUST_CACHE", Path.Combine(_site.Upstream.Folder, "gitlab-cache")), ("GNUPGHOME", Path.Combine(_site.Upstream.Folder, "gitlab-gpg")), ("REGISTRY_AUTH_FILE", Path.Combine(Logs, "auth.json")), ("REPO", ""), ("BRANCH", "crust/newer-versions"),
                ("CI_DEFAULT_BRANCH", "main"), ("CI_SERVER_HOST", "gitlab.test"), ("CI_PROJECT_URL", origin[..^4]), .. more]);
    }

    [Test]
    public async Task The_pods_steps_fetch_build_and_sign_the_folder_of_the_volume()
    {
        var secret = Path.Combine(_site.Upstream.Folder, "secret.asc");
        await File.WriteAllTextAsync(secret, (await _site.Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", Path.Combine(_site.Upstream.Folder, "gpg"), "--batch", "--armor", "--export-secret-keys", _key), Cancellation)).Output, Cancellation);
        var objects = DeployFiles.Objects(await DeployFiles.RenderAsync(DeployFiles.Bakery, Cancellation));
        var pod = objects.Object("Job").At("spec", "template", "spec")!;
        var script = Path.Combine(_site.Upstream.Folder, "bake.sh");
        await File.WriteAllTextAsync(script, objects.Object("ConfigMap", "crust-bake").Text("data", "bake.sh"), Cancellation);
        Write("crust.lock", objects.Object("ConfigMap", "crust-versions").Text("data", "crust.lock")!);

        Assert.That(await PodAsync(), Is.Zero);
        Assert.That(Listed, Has.Length.EqualTo(5));
        await VerifyAsync();
        Write("versions.yaml", File.ReadAllText(Path.Combine(Work, "versions.yaml")).Replace("recipe: other", "recipe: othr"));
        Assert.That(await PodAsync(), Is.EqualTo(2));
        Assert.That(Listed, Has.Length.EqualTo(5), "what is published stays");
        // What the example lists is what Crust's recipes pin.
        var example = VersionsReader.Parse(objects.Object("ConfigMap", "crust-versions").Text("data", "versions.yaml")!, "versions.yaml");
        var book = new Crust.Recipes.RecipeBook(Path.Combine(Crust.Storage.Folders.BuilderBesideProgram, "recipes"), null);
        Assert.That(example.Orders.Select(order => BakeKey.Of(order, new(book, Crust.Recipes.Sources.LockFile.Empty("crust.lock")), Crust.Recipes.Sources.LockFile.Empty("crust.lock"), null).Key), Is.Unique);

        async Task<int> PodAsync()
        {
            var code = 0;
            foreach (var step in pod.Items("initContainers").Concat(pod.Items("containers")))
            {
                var hasKey = step.Items("volumeMounts").Any(mount => mount.Text("name") is "key" or "registry");
                Assert.That(hasKey, Is.EqualTo(step.Text("name") == "publish"), "what builds has neither the key nor the login");
                code = (await ShellAsync("sh", $"exec sh '{script}' {step.Text("command", 2)}",
                    [("CONFIG", Work), ("RECIPES", Path.Combine(Work, "recipes")), ("EXTENSIONS", Published), ("STATE", Logs), ("CRUST_CACHE", Path.Combine(_site.Upstream.Folder, "pod-cache")), ("KEY", secret)], [0, 2])).ExitCode;
            }

            return code;
        }
    }

    // A branch `main` with what is in the folder, checked out there.
    private async Task<string> RepositoryAsync()
    {
        var origin = Path.Combine(_site.Upstream.Folder, "origin.git");
        foreach (var name in new[] { "tool", "other" })
        {
            var recipe = Path.Combine(Work, "recipes", name + ".yaml");
            File.WriteAllText(recipe, File.ReadAllText(recipe).Replace("downloads:", $"releases: {{ feed: 'https://{_site.Host}/{name}/releases.atom' }}\ndownloads:"));
            _site.Serve($"/{name}/releases.atom", "<feed><link href='https://example.org/v1.0.0'/></feed>");
        }

        Write(".gitignore", "crust.yaml\n");
        await GitAsync(_site.Upstream.Folder, "init", "-q", "--bare", "-b", "main", origin);
        await GitAsync(Work, "init", "-q", "-b", "main");
        await GitAsync(Work, "add", "--all");
        await GitAsync(Work, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "what we publish");
        await GitAsync(Work, "remote", "add", "origin", origin);
        await GitAsync(Work, "push", "-q", "origin", "main");
        return origin;
    }

    private void Release(string version)
    {
        _site.ServeVersion("tool", version);
        _site.Serve("/tool/releases.atom", $"<feed><link href='https://example.org/v{version}'/></feed>");
    }

    private async Task<string> GitAsync(string folder, params string[] arguments) => (await _site.Tools.RunAsync(ToolCommand.Of("git", arguments) with { WorkingDirectory = folder }, Cancellation)).Output;

    private Task<ToolResult> VerifyAsync() => _site.Tools.RunAsync(ToolCommand.Of("gpg", "--homedir", Path.Combine(_site.Upstream.Folder, "gpg"), "--batch", "--verify", Path.Combine(Published, SysextIndex.SignatureName), Path.Combine(Published, SysextIndex.ListName)), Cancellation);

    // A runner has nothing of the run before.
    private void Fresh()
    {
        Directory.Delete(Path.Combine(Work, "extensions"), recursive: true);
        Directory.Delete(Path.Combine(_site.Upstream.Folder, "runner"), recursive: true);
    }

    private Task<ToolResult> ShellAsync(string shell, string script, (string Name, string Value)[] variables, ImmutableArray<int>? codes = null)
    {
        var file = Path.Combine(Logs, $"step-{Guid.NewGuid():N}.sh");
        File.WriteAllText(file, script, new UTF8Encoding(false));
        return _site.Tools.RunAsync(ToolCommand.Of(shell, "-e", file) with
        {
            WorkingDirectory = Work,
            SuccessCodes = [.. codes ?? (script.Contains("$CODE") ? [0, 2, 5] : [0])],
            Environment = ImmutableDictionary<string, string>.Empty.AddRange(
            [
                new("PATH", $"{Path.Combine(_site.Upstream.Folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}"), new("HOME", _site.Upstream.Folder), new("TMPDIR", Logs), new("NO_COLOR", "1"), new("LANG", "C.UTF-8"),
                new("XDG_RUNTIME_DIR", Logs), new("RUNNER_TEMP", Path.Combine(_site.Upstream.Folder, "runner")), new("BUILDER", "builder:TAG"), new("LOGS", Logs), new("RELEASES", Releases),
            ]).SetItems(variables.Select(one => KeyValuePair.Create(one.Name, one.Value))),
        }, Cancellation);
    }

    private void CopyRecipes()
    {
        Directory.CreateDirectory(Path.Combine(Work, "recipes"));
        foreach (var name in new[] { "tool", "other" })
        {
            File.Copy(_site.RecipePath(name), Path.Combine(Work, "recipes", name + ".yaml"), overwrite: true);
        }
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(Work, name), text);

    private void Program(string name, string text)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_site.Upstream.Folder, "bin")).FullName, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    [GeneratedRegex("code=([0-9]+)\n")]
    private static partial Regex CodeForm();
}
