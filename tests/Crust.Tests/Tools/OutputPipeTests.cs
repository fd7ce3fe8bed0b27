using System.IO.Pipes;
using Crust.Tools;

namespace Crust.Tests.Tools;

/// <summary>How what a program has written is read when it has ended, but its pipe has not.</summary>
[CancelAfter(30_000)]
public sealed class OutputPipeTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [TestCase(false)]
    [TestCase(true)]
    public async Task All_that_a_program_has_written_is_read_however_slowly_it_is_taken(bool isMuch)
    {
        using var program = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var pipe = new AnonymousPipeClientStream(PipeDirection.In, program.GetClientHandleAsString());
        // The pipe holds it as a whole.
        await program.WriteAsync(new byte[60_000], Cancellation);
        var taken = 0;

        // The program's time is up before the first byte was taken.
        await ReadAsync(isMuch, pipe, Task.CompletedTask, bytes => taken += bytes.Length).WaitAsync(Cancellation);

        Assert.That(taken, Is.EqualTo(60_000));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task Nothing_more_is_waited_for_when_the_programs_time_is_up(bool isMuch)
    {
        using var program = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var pipe = new AnonymousPipeClientStream(PipeDirection.In, program.GetClientHandleAsString());
        var (first, overdue) = (new TaskCompletionSource(), new TaskCompletionSource());
        var reading = ReadAsync(isMuch, pipe, overdue.Task, _ => first.TrySetResult());
        await program.WriteAsync(new byte[1], Cancellation);
        await first.Task.WaitAsync(Cancellation);

        overdue.SetResult();

        await reading.WaitAsync(Cancellation);
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_daemon_that_writes_as_fast_as_it_is_read_does_not_hold_the_reader(bool isMuch)
    {
        using var daemon = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var pipe = new AnonymousPipeClientStream(PipeDirection.In, daemon.GetClientHandleAsString());
        await daemon.WriteAsync(new byte[60_000], Cancellation);

        var cancellation = Cancellation;
        var taken = 0L;

        await ReadAsync(isMuch, pipe, Task.CompletedTask, bytes =>
        {
            cancellation.ThrowIfCancellationRequested();
            taken += bytes.Length;
            daemon.Write(bytes.Span);
        }).WaitAsync(Cancellation);

        Assert.That(taken, Is.InRange(1 << 20, (1 << 20) + 60_000), "what a program can have left in its pipe");
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task The_thread_that_starts_programs_does_not_take_what_they_write(bool isMuch)
    {
        using var program = new AnonymousPipeServerStream(PipeDirection.Out);
        await using var pipe = new AnonymousPipeClientStream(PipeDirection.In, program.GetClientHandleAsString());
        await program.WriteAsync(new byte[1], Cancellation);
        using var isBack = new ManualResetEventSlim();
        var cancellation = Cancellation;

        // What there is to read at once could be taken before the call returns.
        var reading = ReadAsync(isMuch, pipe, Task.CompletedTask, _ => isBack.Wait(cancellation));
        isBack.Set();

        await reading.WaitAsync(Cancellation);
    }

    private static Task ReadAsync(bool isMuch, Stream pipe, Task overdue, Action<ReadOnlyMemory<byte>> take) =>
        isMuch ? OutputPipe.ReadMuchAsync(pipe, overdue, take) : OutputPipe.ReadAsync(pipe, overdue, take);
}
