using System.Collections.Immutable;
using System.Diagnostics;
using Crust.Tools;

namespace Crust.Tests.Deploy;

/// <summary>The script of the Job's pods, with a program in crust's place that does as a test wishes.</summary>
[CancelAfter(60_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BuildDueTests : IDisposable
{
    // Writes down how it was called; a file named after command and spec has what it does there.
    private const string FakeCrust = """
        #!/bin/sh
        echo "$@" >>log
        case $1 in
        plan) cat plan; [ ! -f plan-fails ] || . ./plan-fails ;;
        fetch) [ ! -f "$1-$2" ] || . "./$1-$2" ;;
        *) mkdir -p "$6"; [ ! -f "$1-$2" ] || . "./$1-$2" ;;
        esac
        """;

    private static readonly string Script = DeployFiles.PathOf("kubernetes/base/build-due.sh");

    private readonly string _folder = Directory.CreateTempSubdirectory("crust-due-").FullName;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string[] Log => File.ReadAllLines(PathOf("log"));

    [SetUp]
    public async Task PutAFakeCrustInThePath()
    {
        await WriteAsync("bin/crust", FakeCrust);
        File.SetUnixFileMode(PathOf("bin/crust"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await WriteAsync("specs/a.yaml", "");
        await WriteAsync("specs/b.yaml", "");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task What_is_due_is_fetched_then_built_then_published()
    {
        await WriteAsync("plan", "qcow2,vmdk\tamd64\tone\ta\nimg\tamd64\ttwo\tb\n");

        Assert.That(await RunAsync(index: 2), Is.Zero);
        Assert.That(Log, Is.EqualTo(new[]
        {
            "plan --lines --shard 3/4 specs/a.yaml specs/b.yaml",
            "fetch a",
            "fetch b",
            "build a --format qcow2,vmdk --output images/one --cache none --accel tcg",
            "build b --format img --output images/two --cache none --accel tcg",
            "publish a --format qcow2,vmdk --output images/one",
            "publish b --format img --output images/two",
        }));
    }

    [Test]
    public async Task A_spec_may_have_any_name()
    {
        await WriteAsync("plan", "img\tamd64\tone\tit's a spec; exit 7 *.yaml\n");

        Assert.That(await RunAsync(), Is.Zero);
        Assert.That(Log[2], Is.EqualTo("build it's a spec; exit 7 *.yaml --format img --output images/one --cache none --accel tcg"));
    }

    [Test]
    public async Task Nothing_due_is_nothing_done()
    {
        await WriteAsync("plan", "");

        Assert.That(await RunAsync(), Is.Zero);
        Assert.That(Log, Has.Length.EqualTo(1));
    }

    // Kubernetes tries again what ends with 3, 4 or 5, and gives up what ends with 2.
    [TestCase("2", "0", ExpectedResult = 2)]
    [TestCase("2", "5", ExpectedResult = 5)]
    [TestCase("5", "2", ExpectedResult = 5)]
    [TestCase("4", "0", ExpectedResult = 4)]
    public async Task<int> A_build_that_fails_does_not_keep_the_others_from_being_built(string first, string second)
    {
        await WriteAsync("plan", "img\tamd64\tone\ta\nimg\tamd64\ttwo\tb\nimg\tamd64\tthree\tc\n");
        await WriteAsync("fetch-c", "exit 2");
        await WriteAsync("build-a", $"exit {first}");
        await WriteAsync("publish-b", $"exit {second}");

        var code = await RunAsync();

        Assert.That(Log.Skip(4).Select(line => line[..9]), Is.EqualTo(new[] { "build a -", "build b -", "publish b" }), "what isn't fetched isn't built, and what isn't built isn't published");
        return code;
    }

    [TestCase(2)]
    [TestCase(5)]
    public async Task A_plan_that_fails_ends_it_with_its_own_code(int code)
    {
        await WriteAsync("plan", "img\tamd64\tone\ta\n");
        await WriteAsync("plan-fails", $"exit {code}");

        Assert.That(await RunAsync(), Is.EqualTo(code));
        Assert.That(Log, Has.Length.EqualTo(1));
    }

    [Test]
    public async Task A_pod_that_is_stopped_lets_crust_tidy_up_and_builds_nothing_more()
    {
        await WriteAsync("plan", "img\tamd64\tone\ta\nimg\tamd64\ttwo\tb\n");
        await WriteAsync("build-a", "trap 'echo tidied >>log; exit 130' TERM; : >ready; while :; do sleep 0.02; done");
        await StepAsync("fetch", 0);
        var info = new ProcessStartInfo("env", ["--default-signal", "sh", Script, "build"]) { WorkingDirectory = _folder };
        foreach (var (name, value) in Variables(0))
        {
            info.Environment[name] = value;
        }

        using var process = Process.Start(info)!;
        while (!File.Exists(PathOf("ready")))
        {
            Assert.That(process.HasExited, Is.False);
            await Task.Delay(10, Cancellation);
        }

        using var kill = Process.Start("kill", ["-TERM", $"{process.Id}"]);
        await process.WaitForExitAsync(Cancellation);

        Assert.That(process.ExitCode, Is.EqualTo(130));
        Assert.That(Log.Skip(3), Is.EqualTo(new[] { "build a --format img --output images/one --cache none --accel tcg", "tidied" }));
    }

    // As a pod does: a step only after the one before has ended well.
    private async Task<int> RunAsync(int index = 0)
    {
        foreach (var step in new[] { "fetch", "build" })
        {
            if (await StepAsync(step, index) is var code and not 0)
            {
                return code;
            }
        }

        return await StepAsync("publish", index);
    }

    private async Task<int> StepAsync(string step, int index) => (await DeployFiles.Tools.RunAsync(ToolCommand.Of("sh", Script, step) with
    {
        WorkingDirectory = _folder,
        Environment = Variables(index),
        SuccessCodes = [0, 2, 3, 4, 5],
    }, Cancellation)).ExitCode;

    private ImmutableDictionary<string, string> Variables(int index) => ImmutableDictionary<string, string>.Empty.AddRange(
    [
        new("PATH", $"{PathOf("bin")}:{Environment.GetEnvironmentVariable("PATH")}"), new("TMPDIR", _folder),
        new("SPECS", "specs"), new("IMAGES", "images"), new("STATE", "due"), new("JOB_COMPLETION_INDEX", $"{index}"), new("SHARDS", "4"), new("BUILD_OPTIONS", "--accel tcg"),
    ]);

    private string PathOf(string name) => Path.Combine(_folder, name);

    private async Task WriteAsync(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        await File.WriteAllTextAsync(PathOf(name), text, Cancellation);
    }
}
