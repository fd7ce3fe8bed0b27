using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Tools;

namespace Crust.Tests.Deploy;

/// <summary>The workflows for GitHub and GitLab, as far as their schemas don't say it.</summary>
[CancelAfter(300_000)]
public sealed partial class WorkflowTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public void Actions_are_pinned_by_commit_and_no_job_may_do_more_than_it_has_to()
    {
        var workflow = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHub)).Single();
        var used = DeployFiles.Read(DeployFiles.GitHub).Split('\n').Where(line => line.Contains("uses:", StringComparison.Ordinal)).ToList();

        Assert.That(used, Is.Not.Empty.And.All.Matches<string>(line => Pinned().IsMatch(line!)));
        Assert.That(workflow.Keys("permissions"), Is.Empty);
        Assert.That(workflow.Pairs("jobs", "plan", "permissions"), Is.EqualTo(new Dictionary<string, string> { ["contents"] = "read", ["packages"] = "read" }));
        Assert.That(workflow.Pairs("jobs", "build", "permissions"), Is.EqualTo(new Dictionary<string, string> { ["contents"] = "read", ["packages"] = "write" }));
    }

    [TestCase(DeployFiles.GitHubExtensions, "extensions", "contents packages")]
    [TestCase(DeployFiles.GitHubUpdate, "propose", "contents pull-requests")]
    [TestCase(DeployFiles.GitHubRelease, "release", "contents")]
    public void What_publishes_and_proposes_may_do_just_that_and_the_step_that_builds_or_asks_has_no_token(string file, string job, string permissions)
    {
        var text = DeployFiles.Read(file);
        var workflow = DeployFiles.Objects(text).Single();
        var steps = workflow.Items("jobs", job, "steps").Where(step => step.At("run") is not null).ToList();

        Assert.That(text.Split('\n').Where(line => line.Contains("uses:", StringComparison.Ordinal)), Is.Not.Empty.And.All.Matches<string>(line => Pinned().IsMatch(line!)));
        Assert.That(workflow.Keys("permissions"), Is.Empty);
        Assert.That(workflow.Pairs("jobs", job, "permissions").Select(pair => pair.Key), Is.EqualTo(permissions.Split(' ')));
        Assert.That(steps.Select(step => step.Text("run")), Has.None.Contains("${{"));
        Assert.That(steps.Where(step => step.Text("run")!.Contains("sysext bake", StringComparison.Ordinal) && !step.Text("run")!.Contains("--index-only", StringComparison.Ordinal) || step.Text("run")!.Contains("recipe update", StringComparison.Ordinal))
            .SelectMany(step => step.Pairs("env").Values), Has.None.Contains("token").And.None.Contains("secrets"));
    }

    [Test]
    public void A_release_is_built_without_a_token_and_its_sums_come_last()
    {
        var steps = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHubRelease)).Single().Items("jobs", "release", "steps").ToDictionary(step => step.Text("name") ?? "", step => step);
        var release = steps["Release"].Text("run")!;

        Assert.That(Volume().Matches(steps["Build"].Text("run")!).Select(volume => volume.Groups[1].Value), Is.EqualTo(new[] { "$PWD:$PWD:ro", "$RUNNER_TEMP/crust:/cache", "$PWD/images:$PWD/images" }));
        Assert.That(steps["Build"].At("env"), Is.Null);
        Assert.That(release.LastIndexOf("SHA256SUMS", StringComparison.Ordinal), Is.GreaterThan(release.LastIndexOf("xargs", StringComparison.Ordinal)));
        Assert.That(release, Does.Contain("--draft ").And.EndsWith("--draft=false\n"), "nobody sees a release that isn't whole");
    }

    // GitHub puts an expression's value into the script's text, so that a spec named `$(…)` would be run.
    [Test]
    public void No_script_has_an_expression_in_its_text()
    {
        var jobs = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHub)).Single();
        var scripts = jobs.Keys("jobs").SelectMany(job => jobs.Items("jobs", job, "steps")).Select(step => step.Text("run")).OfType<string>().ToList();

        Assert.That(scripts, Has.Count.GreaterThan(3).And.None.Contains("${{"));
    }

    [Test]
    public void The_step_that_builds_has_no_login_and_of_the_runner_no_folder_but_specs_cache_and_images()
    {
        var steps = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitHub)).Single().Items("jobs", "build", "steps").ToDictionary(step => step.Text("name") ?? "", step => step);
        var build = steps["Build"].Text("run")!;

        Assert.That(Volume().Matches(build).Select(volume => volume.Groups[1].Value), Is.EqualTo(new[] { "$PWD:$PWD:ro", "$RUNNER_TEMP/crust:/cache", "$PWD/images:$PWD/images" }));
        Assert.That(build, Does.Not.Contain("login").And.Not.Contain("AUTH").And.Not.Contain("--privileged"));
        Assert.That(steps["Build"].Pairs("env").Select(pair => pair.Value), Has.None.Contains("github.token").And.None.Contains("GITHUB_TOKEN"));
        Assert.That(steps["Publish"].Text("run"), Does.Contain(":/login:ro"), "what the test looks for is what a login looks like");
    }

    [TestCase("qcow2,vmdk\tamd64\tedge\tspecs/it's: a # spec.yaml\nimg\tamd64\tedge\tspecs/b.yaml\n")]
    [TestCase("")]
    public async Task GitLabs_plan_writes_a_child_pipeline_as_its_schema_says(string plan)
    {
        var folder = Directory.CreateTempSubdirectory("crust-gitlab-").FullName;
        try
        {
            await File.WriteAllTextAsync(Path.Combine(folder, "plan.tsv"), plan, Cancellation);
            var script = DeployFiles.Objects(DeployFiles.Read(DeployFiles.GitLab)).Single().Items("edge-images-plan", "script")[^1].ToString();
            await DeployFiles.Tools.RunAsync(ToolCommand.Of("sh", "-e", "-c", script) with { WorkingDirectory = folder, Environment = ImmutableDictionary<string, string>.Empty }, Cancellation);

            var child = await File.ReadAllTextAsync(Path.Combine(folder, "builds.yml"), Cancellation);
            var pipeline = DeployFiles.Objects(child).Single();
            var wanted = plan.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Select(line => (line[3], line[0])).ToList();
            var jobs = pipeline.Keys().Where(key => key != ".build").ToList();
            Assert.That((await PublishedSchemas.CheckAsync([new("gitlab", "builds.yml", child)], Cancellation)).Single(), Is.Empty);
            Assert.That(jobs.Where(job => job != "nothing-is-due").Select(job => (pipeline.Text(job, "variables", "SPEC"), pipeline.Text(job, "variables", "FORMATS"))), Is.EqualTo(wanted));
            Assert.That(jobs, Is.Not.Empty, "GitLab refuses a pipeline without jobs");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [GeneratedRegex("--volume \"([^\"]*)\"")]
    private static partial Regex Volume();

    [GeneratedRegex(@"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")]
    private static partial Regex Pinned();
}
