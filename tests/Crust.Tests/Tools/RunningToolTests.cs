using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using Crust.Spec;
using Crust.Tools;
using FsCheck;
using FsCheck.Fluent;
using Serilog.Core;

namespace Crust.Tests.Tools;

[CancelAfter(60_000)]
public sealed class RunningToolTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

    // Of what the command line of a program could be confused by.
    private static readonly Arbitrary<string[]> ArrayOfText = Gen.Elements([.. " \t\n\"\\'aä"]).ArrayOf().Select(letters => new string(letters)).ArrayOf().ToArbitrary();

    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-tool-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_program_finds_of_Crusts_own_environment_only_what_it_needs_by_name()
    {
        var own = ImmutableDictionary<string, string>.Empty.AddRange(
        [
            new("HOME", "/home/edge"), new("PATH", "/nowhere"), new("LANG", "de_DE.UTF-8"), new("LD_PRELOAD", "/tmp/spy.so"), new("SSH_AUTH_SOCK", "/run/agent"),
            new("GITHUB_TOKEN", "ghp_of-the-job"), new("AWS_SECRET_ACCESS_KEY", "key-of-the-cloud"), new("https_proxy", "http://me:secret@proxy:3128"), new("SSH_PASSWORD", "S3cret"),
        ]);
        var tools = new ToolBox(HostEnvironment.Read().SearchPath, Logger.None) { Environment = own };

        async Task<string[]> SeenBy(ToolCommand command) => (await tools.RunAsync(command, Cancellation)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var bare = await SeenBy(ToolCommand.Of("env"));
        var signing = await SeenBy(ToolCommand.Of("env") with { Inherits = ToolEnvironment.Signing });
        var registry = await SeenBy(ToolCommand.Of("env") with { Inherits = ToolEnvironment.Registries, Environment = ImmutableDictionary<string, string>.Empty.Add("HOME", "/elsewhere") });

        Assert.That(bare, Is.EquivalentTo(new[] { "HOME=/home/edge", $"PATH={string.Join(':', HostEnvironment.Read().SearchPath)}", "LC_ALL=C.UTF-8" }));
        Assert.That(signing, Is.EquivalentTo(bare.Append("SSH_AUTH_SOCK=/run/agent")));
        Assert.That(registry, Has.Member("HOME=/elsewhere").And.Member("https_proxy=http://me:secret@proxy:3128").And.Member("AWS_SECRET_ACCESS_KEY=key-of-the-cloud"));
        Assert.That(registry, Has.None.Contains("GITHUB_TOKEN").And.None.Contains("SSH_PASSWORD").And.None.Contains("LD_PRELOAD"));
    }

    [Test]
    public async Task A_cancelled_program_that_cleans_up_gets_the_time_for_it()
    {
        await CancelAsync(Ending.Terminate);

        Assert.That(Path.Combine(_folder, "clean"), Does.Exist);
    }

    [Test]
    public async Task A_cancelled_program_is_gone_at_once_otherwise_and_so_is_what_it_started()
    {
        var child = await CancelAsync(Ending.Kill);

        Assert.That(Path.Combine(_folder, "clean"), Does.Not.Exist);
        while (IsRunning(child))
        {
            // The kernel may still be at it; that it never ends is what fails, by the test's time.
            await Task.Delay(20, Cancellation);
        }
    }

    [TestCase(Ending.Kill, "9")]
    [TestCase(Ending.Terminate, "15")]
    public async Task The_kernel_ends_a_program_when_Crust_dies(Ending ending, string signal)
    {
        // prctl(PR_GET_PDEATHSIG) of the program itself, whose number differs between amd64 and arm64.
        var ask = $"my $signal = pack('i', 0); syscall({(RuntimeInformation.ProcessArchitecture is Architecture.X64 ? 157 : 167)}, 2, $signal); print unpack('i', $signal)";

        var result = await Tools.RunAsync(ToolCommand.Of("perl", "-e", ask) with { Ending = ending, Limits = new ToolLimits(Memory: 1L << 30) }, Cancellation);

        Assert.That(result.Output, Is.EqualTo(signal));
    }

    [Test]
    public async Task A_program_outlives_the_thread_that_asked_for_it()
    {
        var started = new TaskCompletionSource<(RunningTool Tool, string Thread)>();
        new Thread(() => started.SetResult((
            Tools.Start(ToolCommand.Of("sh", "-c", "until [ -e go ]; do sleep 0.01; done") with { WorkingDirectory = _folder }),
            Path.Combine("/proc", new DirectoryInfo("/proc/thread-self").LinkTarget!)))).Start();
        var (tool, thread) = await started.Task;
        await using var ending = tool;
        while (Directory.Exists(thread))
        {
            await Task.Delay(20, Cancellation);
        }

        await File.WriteAllTextAsync(Path.Combine(_folder, "go"), "", Cancellation);

        Assert.That((await tool.WaitAsync(Cancellation)).ExitCode, Is.Zero);
    }

    [Test]
    public async Task Many_programs_run_at_once_and_each_gets_its_own_end()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Tools.RunAsync(ToolCommand.Of("sh", "-c", $"echo {i}; exit {i}") with { SuccessCodes = [i] }, Cancellation)));

        Assert.That(results.Select(result => (result.Output, result.ExitCode)), Is.EqualTo(Enumerable.Range(0, 60).Select(i => ($"{i}\n", i))));
    }

    [Test]
    public async Task A_killed_program_leaves_its_exit_code_and_what_it_said()
    {
        var said = new TaskCompletionSource();
        await using var tool = Tools.Start(ToolCommand.Of("sh", "-c", "echo out; echo error >&2; exec sleep 1000") with { OnLine = _ => said.TrySetResult() });
        await said.Task.WaitAsync(Cancellation);

        await tool.KillAsync();

        var result = await tool.Ended;
        Assert.That((result.ExitCode, result.Output, result.Error), Is.EqualTo((137, "out\n", "error\n")));
    }

    [Test]
    public async Task A_programs_processor_time_is_known_while_it_runs()
    {
        await using var tool = Tools.Start(ToolCommand.Of("sh", "-c", "while :; do :; done"));
        while (tool.CpuTime == TimeSpan.Zero)
        {
            await Task.Delay(20, Cancellation);
        }

        await tool.KillAsync();

        Assert.That(tool.CpuTime, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task On_a_busy_processor_a_program_that_computes_wants_more_time_than_it_gets()
    {
        var spin = ToolCommand.Of("taskset", "-c", "0", "sh", "-c", "while :; do :; done");
        await using var one = Tools.Start(spin);
        await using var two = Tools.Start(spin);
        await using var three = Tools.Start(spin);

        while (one.WantedTime - one.CpuTime < TimeSpan.FromSeconds(0.5))
        {
            await Task.Delay(20, Cancellation);
        }

        await one.KillAsync();
        await two.KillAsync();
        await three.KillAsync();
        Assert.That(one.WantedTime, Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task A_program_gets_its_arguments_as_they_are()
    {
        string[] odd = ["", " ", "a b", "\t", "line\nline", "\"", "\\", "\\\\", "a\\", "a \\", "\\\" \\\\\"", "'", "$HOME", "`true`", "*", "-", "--", "ä\u00a0€ \U0001F600", "a\"\"b", "\"a b\""];
        var arguments = odd.Concat(ArrayOfText.Generator.Sample(100, 30).SelectMany(texts => texts)).ToList();
        var seen = new MemoryStream();

        await Tools.RunAsync(ToolCommand.Of("printf", arguments.Prepend("%s\\0")) with { OnOutput = bytes => seen.Write(bytes.Span) }, Cancellation);

        Assert.That(Encoding.UTF8.GetString(seen.ToArray()).Split('\0')[..^1], Is.EqualTo(arguments));
    }

    [Test]
    public async Task A_program_has_no_more_memory_than_it_may()
    {
        var result = await Tools.RunAsync(ToolCommand.Of("sh", "-c", "ulimit -v") with { Limits = ToolLimits.OfMemory }, Cancellation);

        Assert.That(result.Output, Is.EqualTo($"{1 << 20}\n"));
    }

    [Test]
    public async Task The_threads_of_a_program_share_the_memory_that_it_may_have()
    {
        // mallopt(3): how many arenas glibc makes for them.
        var ask = ToolCommand.Of("sh", "-c", "echo \"$MALLOC_ARENA_MAX\"");

        Assert.That((await Tools.RunAsync(ask with { Limits = ToolLimits.OfMemory }, Cancellation)).Output, Is.EqualTo("1\n"));
        Assert.That((await Tools.RunAsync(ask, Cancellation)).Output, Is.EqualTo("\n"));
    }

    // Runs a shell that says its child's process id and waits, cancels it, and gives that id.
    private async Task<int> CancelAsync(Ending ending)
    {
        using var cancelling = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var ready = new TaskCompletionSource<int>();
        var running = Tools.RunAsync(ToolCommand.Of("sh", "-c", "trap 'touch clean; kill $child; exit 0' TERM; sleep 1000 & child=$!; echo $child; wait") with
        {
            WorkingDirectory = _folder,
            WatchOutput = true,
            OnLine = line => ready.TrySetResult(int.Parse(line)),
            Ending = ending,
        }, cancelling.Token);

        var child = await ready.Task.WaitAsync(Cancellation);
        await cancelling.CancelAsync();
        Assert.That(async () => await running, Throws.InstanceOf<OperationCanceledException>());
        return child;
    }

    // One that has ended may still wait for its parent to take note, or be gone while it is looked at.
    private static bool IsRunning(int process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }
}
