using System.Collections.Immutable;
using Crust.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Tools;

[CancelAfter(60_000)]
public sealed class RunningToolTests
{
    private static readonly ToolBox Tools = new(HostEnvironment.Read().SearchPath, Logger.None);

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
    public async Task A_programs_output_can_be_taken_as_it_comes_byte_for_byte()
    {
        var taken = new MemoryStream();

        var result = await Tools.RunAsync(ToolCommand.Of("sh", "-c", "head -c 1000000 /dev/zero; printf '\\377\\000end'; echo aside >&2") with { OnOutput = bytes => taken.Write(bytes.Span) }, Cancellation);

        Assert.That(taken.ToArray().AsSpan(1_000_000).SequenceEqual((byte[])[0xff, 0, .. "end"u8]), $"{taken.Length} bytes");
        Assert.That((result.Output, result.Error), Is.EqualTo(("", "aside\n")));
    }

    [Test]
    public async Task A_program_whose_output_cannot_be_taken_is_killed_and_the_reason_told() =>
        await Assert.ThatAsync(() => Tools.RunAsync(ToolCommand.Of("yes") with { OnOutput = _ => throw new IOException("full") }, Cancellation),
            Throws.InstanceOf<IOException>().With.Message.EqualTo("full"));

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
