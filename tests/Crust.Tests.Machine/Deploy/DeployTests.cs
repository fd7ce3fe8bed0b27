using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Crust.Tests.Deploy;
using Crust.Tests.Machine.Guests;
using Crust.Tests.Registries;
using Crust.Tools;
using YamlDotNet.RepresentationModel;

namespace Crust.Tests.Machine.Deploy;

/// <summary>
/// What `deploy/` tells clusters and CIs to run, run: the shell of the Job's pod and of each workflow's steps, as it stands there, with the real program, a real registry and real QEMU. What is
/// played is what isn't here: Docker and the Job's controller.
/// </summary>
[CancelAfter(300_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class DeployTests : IDisposable
{
    // No KVM here: what stands behind --accel is TCG in its place.
    private const string Crust = """
        #!/bin/sh
        echo "$1 ${CACHE:+with a cache,} ${REGISTRY_AUTH_FILE:+with a login,} ${CI_REGISTRY_PASSWORD:+with a password}" >>'{1}/crust.log'
        for word; do
            shift
            [ "$word" != kvm ] || word=tcg
            set -- "$@" "$word"
        done
        exec '{0}' "$@"
        """;

    // Runs what the image's entrypoint would run, where the folders are the same as outside; and lets nothing in that wasn't named.
    private const string Docker = """
        #!/bin/sh
        printf '%s\n' "$*" >>docker.log
        case $1 in login) exec cat >>docker.log ;; logout) exit ;; esac
        shift
        unset REPO CACHE EDGE_HOST_TOKEN REGISTRY_AUTH_FILE
        while [ "$1" != "$BUILDER" ]; do
            case $1 in
            --volume) shift; case $1 in *:/login:ro) export REGISTRY_AUTH_FILE="$OUTER_LOGIN" ;; esac ;;
            --env)
                shift
                case $1 in REGISTRY_AUTH_FILE=*) ;; *=*) export "$1" ;; REPO) export REPO="$OUTER_REPO" ;; CACHE) export CACHE="$OUTER_CACHE" ;; EDGE_HOST_TOKEN) export EDGE_HOST_TOKEN=token-of-the-test ;; BUILD_KEY_SECRET) export BUILD_KEY_SECRET=shared-by-all-jobs-of-the-test-0123456789 ;; esac ;;
            --workdir) shift; cd "$1" ;;
            --rm) ;;
            *) shift ;;
            esac
            shift
        done
        shift
        exec crust "$@"
        """;

    private const string Skopeo = """
        #!/bin/sh
        [ "$1" != login ] || { printf '%s ' "$@" >>login.log; exec cat >>login.log; }
        exec /usr/bin/skopeo "$@"
        """;

    private readonly CrustProcess _crust = new();
    private readonly string _folder;

    public DeployTests() => _folder = _crust.Folder;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task PutProgramsInThePath()
    {
        await ProgramAsync("crust", Crust.Replace("{0}", Path.Combine(AppContext.BaseDirectory, "Crust.Cli"), StringComparison.Ordinal).Replace("{1}", _folder, StringComparison.Ordinal));
        await ProgramAsync("docker", Docker);
        await ProgramAsync("skopeo", Skopeo);
        await ProgramAsync("sudo", "#!/bin/sh\nprintf '%s\\n' \"$*\" >>sudo.log\n[ \"$1\" != tee ] || cat >>sudo.log\n");
    }

    public void Dispose() => _crust.Dispose();

    // What each call of the program was given to reach a registry with.
    private string[] Calls => [.. File.ReadLines(Path.Combine(_folder, "crust.log")).Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).TrimEnd(','))];

    [Test]
    public async Task The_pods_of_the_Job_build_and_publish_each_its_own_specs_and_those_of_the_next_Job_find_nothing_due()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        await SpecAsync("shop", "256M");
        await SpecAsync("warehouse", "512M");

        Assert.That((await PodAsync(0, registry)).ExitCode, Is.Zero);
        Assert.That(await TagsAsync(registry), Has.Some.StartsWith("shop-").And.None.StartsWith("warehouse-"));
        Assert.That(Calls, Is.EqualTo(new[] { "plan with a cache, with a login", "fetch with a cache, with a login", "build", "publish with a cache, with a login" }));
        Assert.That((await PodAsync(1, registry)).ExitCode, Is.Zero);
        Assert.That(await TagsAsync(registry), Has.Some.StartsWith("warehouse-"));
        Assert.That(await TagsAsync(registry, "cache"), Has.Count.EqualTo(2).And.All.StartsWith("disk-"));

        var again = await PodAsync(1, registry);
        Assert.That((again.ExitCode, again.Error), Is.EqualTo((0, "crust: 0 of 1 builds are due\n")));
    }

    [Test]
    public async Task GitHubs_steps_plan_build_and_publish_and_the_next_run_has_an_empty_matrix()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        await SpecAsync("shop", "256M");
        var jobs = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHub)).Single().At("jobs")!;

        var matrix = await PlanAsync();
        Assert.That(matrix.EnumerateArray().Select(build => build.GetProperty("spec").GetString()), Is.EqualTo(new[] { "specs/shop.yaml" }));
        await StepsAsync(jobs.At("build")!, registry, ("SPEC", matrix[0].GetProperty("spec").GetString()!), ("FORMATS", matrix[0].GetProperty("formats").GetString()!));

        Assert.That(await TagsAsync(registry), Has.Some.StartsWith("shop-"));
        Assert.That(await TagsAsync(registry, "cache"), Has.Count.EqualTo(1));
        Assert.That(Calls, Is.EqualTo(new[] { "plan with a login", "fetch with a cache, with a login", "build", "publish with a cache, with a login" }));
        Assert.That((await PlanAsync()).GetArrayLength(), Is.Zero);
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_folder, "sudo.log"), Cancellation), Does.StartWith("tee /etc/udev/rules.d/99-kvm4all.rules\nKERNEL==\"kvm\""));
        var docker = await File.ReadAllTextAsync(Path.Combine(_folder, "docker.log"), Cancellation);
        Assert.That(docker, Does.Contain("login ghcr.io --username builder --password-stdin\ntoken-of-github\n").And.Contain("--device /dev/kvm").And.Not.Contain("privileged").And.Not.Contain("--network"));
        Assert.That(docker, Does.Not.Contain("token-of-the-test"), "a secret is given by its variable's name");

        async Task<JsonElement> PlanAsync()
        {
            File.Delete(Path.Combine(_folder, "output"));
            await StepsAsync(jobs.At("plan")!, registry);
            var output = await File.ReadAllTextAsync(Path.Combine(_folder, "output"), Cancellation);
            Assert.That(output, Does.StartWith("matrix={").And.EndsWith("}\n"));
            return JsonDocument.Parse(output["matrix=".Length..]).RootElement.GetProperty("include");
        }
    }

    [Test]
    public async Task GitLabs_jobs_plan_and_a_job_of_the_child_pipeline_builds_and_publishes()
    {
        await using var registry = await LocalRegistry.StartAsync(Cancellation);
        await SpecAsync("shop", "256M");
        var plan = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitLab)).Single().Items("edge-images-plan", "script");

        await ScriptAsync(plan);
        var child = Child();
        var job = child.Keys().Single(key => key != ".build");
        await ScriptAsync(child.Items(child.Text(job, "extends")!, "script"), [.. child.Pairs(job, "variables").Select(pair => (pair.Key, pair.Value))]);
        Assert.That(await TagsAsync(registry), Has.Some.StartsWith("shop-"));
        // GitLab sets its variables for the whole job. The login's file is there only for the steps that need it.
        Assert.That(Calls[2], Does.StartWith("build").And.Not.Contain("password"));
        await ScriptAsync(plan);

        Assert.That(Child().Keys(), Is.EqualTo(new[] { ".build", "nothing-is-due" }));
        Assert.That(await File.ReadAllTextAsync(Path.Combine(_folder, "login.log"), Cancellation), Does.StartWith("login --username gitlab-user --password-stdin registry.gitlab.test gitlab-password"));

        YamlMappingNode Child() => DeployFiles.Objects(File.ReadAllText(Path.Combine(_folder, "builds.yml"))).Single();

        // As GitLab's runner does: one shell for all lines, which ends with the first that fails.
        Task ScriptAsync(IEnumerable<YamlNode> lines, params (string, string)[] more) => ShellAsync("sh", string.Join('\n', lines.Select(line => line.ToString())), registry,
            [("CI_REGISTRY", "registry.gitlab.test"), ("CI_REGISTRY_USER", "gitlab-user"), ("CI_REGISTRY_PASSWORD", "gitlab-password"), .. more]);
    }

    private async Task SpecAsync(string name, string disk)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _folder, Cancellation);
        Directory.CreateDirectory(Path.Combine(_folder, "specs"));
        // Stub guests have no file systems to look at.
        await File.WriteAllTextAsync(Path.Combine(_folder, "specs", $"{name}.yaml"), $$"""
            version: 1
            name: {{name}}
            installer: { iso: {{iso}} }
            machine: { disk: {{disk}}, memory: 128M }
            inspect: false
            trim: false
            tidy: none
            formats: [qcow2, vmdk]
            publish: { tls: false }
            """, Cancellation);
    }

    // The pod of an index: the commands of its containers as they are rendered, one after the other, with the ConfigMap's script.
    private async Task<ToolResult> PodAsync(int index, LocalRegistry registry)
    {
        var errors = new StringBuilder();
        var objects = DeployFiles.Objects(await DeployFiles.RenderAsync("kubernetes/overlays/example", Cancellation));
        var pod = objects.Object("Job").At("spec", "template", "spec")!;
        await File.WriteAllTextAsync(Path.Combine(_folder, "build-due.sh"), objects.Object("ConfigMap", "crust-build-due").Text("data", "build-due.sh"), Cancellation);
        ToolResult result = null!;
        foreach (var step in pod.Items("initContainers").Concat(pod.Items("containers")))
        {
            var variables = step.Items("env").ToDictionary(one => one.Text("name")!, one => one.Text("value")!);
            var hasLogin = step.Items("volumeMounts").Any(mount => mount.Text("name") == "registry");
            Assert.That(variables.Keys.Intersect(["REPO", "CACHE", "REGISTRY_AUTH_FILE"]).Any(), Is.EqualTo(hasLogin), step.Text("name"));
            variables["JOB_COMPLETION_INDEX"] = $"{index}";
            variables["SPECS"] = Path.Combine(_folder, "specs");
            variables["IMAGES"] = Path.Combine(_folder, "images");
            variables["STATE"] = Path.Combine(_folder, $"due-{index}");
            result = await RunAsync(
                [.. step.Items("command").Select(word => word.ToString().Replace("/deploy", _folder, StringComparison.Ordinal))], registry,
                [.. variables.Select(pair => (pair.Key, pair.Value))], hasLogin);
            errors.Append(result.Error);
        }

        return result with { Error = errors.ToString() };
    }

    private async Task StepsAsync(YamlNode job, LocalRegistry registry, params (string, string)[] matrix)
    {
        foreach (var step in job.Items("steps").Where(step => step.At("run") is not null))
        {
            // As GitHub does without `shell`.
            await ShellAsync("bash", step.Text("run")!, registry, [("GITHUB_OUTPUT", Path.Combine(_folder, "output")), ("GITHUB_ACTOR", "builder"), ("RUNNER_TEMP", _folder), ("REGISTRY", "ghcr.io"), ("TOKEN", "token-of-github"), .. matrix]);
        }
    }

    private async Task ShellAsync(string shell, string script, LocalRegistry registry, params (string, string)[] variables)
    {
        var file = Path.Combine(_folder, "step.sh");
        await File.WriteAllTextAsync(file, script, Cancellation);
        await RunAsync([shell, "-e", file], registry, variables);
    }

    private Task<ToolResult> RunAsync(IReadOnlyList<string> command, LocalRegistry registry, (string Name, string Value)[] variables, bool hasLogin = true) =>
        DeployFiles.Tools.RunAsync(ToolCommand.Of(command[0], [.. command.Skip(1)]) with
        {
            WorkingDirectory = _folder,
            Environment = _crust.Environment.ToImmutableDictionary().SetItems(variables.Select(one => KeyValuePair.Create(one.Name, one.Value))).SetItems(
            [
                new("PATH", $"{Path.Combine(_folder, "bin")}:{Environment.GetEnvironmentVariable("PATH")}"),
                new("HOME", _folder), new("BUILDER", "builder:TAG"), new("OUTER_REPO", $"{registry.Host}/edge/images"), new("OUTER_CACHE", $"oci://{registry.Host}/edge/cache"),
                new("OUTER_LOGIN", Path.Combine(_folder, "none.json")),
            ]).SetItems(!hasLogin ? [] : new Dictionary<string, string>
            {
                ["REPO"] = $"{registry.Host}/edge/images",
                ["CACHE"] = $"oci://{registry.Host}/edge/cache",
                ["REGISTRY_AUTH_FILE"] = Path.Combine(_folder, "none.json"),
            }),
        }, Cancellation);

    private static async Task<IReadOnlyList<string>> TagsAsync(LocalRegistry registry, string repository = "images")
    {
        var list = await DeployFiles.Tools.RunAsync(ToolCommand.Of("skopeo", "list-tags", "--tls-verify=false", $"docker://{registry.Host}/edge/{repository}"), Cancellation);
        return [.. JsonDocument.Parse(list.Output).RootElement.GetProperty("Tags").EnumerateArray().Select(tag => tag.GetString()!)];
    }

    private async Task ProgramAsync(string name, string text)
    {
        var path = Path.Combine(Directory.CreateDirectory(Path.Combine(_folder, "bin")).FullName, name);
        await File.WriteAllTextAsync(path, text, Cancellation);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
