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
