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

    // One that has ended may still wait for its parent to take note.
    private static bool IsRunning(int process)
    {
        var stat = $"/proc/{process}/stat";
        return File.Exists(stat) && !File.ReadAllText(stat).Contains(") Z ", StringComparison.Ordinal);
    }
}
