using System.Buffers;
using System.IO.Pipes;
using System.Runtime.InteropServices;
using Crust.Storage;

namespace Crust.Tools;

/// <summary>
/// Reads what a program writes to one of its streams, until nobody can write to it any more, or until the program's time is up. A daemon that the program has
/// started may hold the pipe for as long as it lives; what the program itself has written is in the pipe by then, and is still read.
/// </summary>
internal static class OutputPipe
{
    private const int BufferLength = 1 << 16;

    // How often ReadMuchAsync looks at the time while nothing comes.
    private const int LookMilliseconds = 100;


    /// <summary>Reads without a thread of its own: what people read.</summary>
    /// <param name="pipe">The end of the pipe that is read.</param>
    /// <param name="overdue">Completes when the program has ended and those that it started had time to write.</param>
    /// <param name="take">Is given the bytes as they come, never by the thread that calls this.</param>
    public static async Task ReadAsync(Stream pipe, Task overdue, Action<ReadOnlyMemory<byte>> take)
    {
        // The thread that starts programs is needed for the next one; and what there is to read at once is taken without giving it back.
        await Task.Yield();
        using var impatience = new CancellationTokenSource();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            // What the program has left in the pipe is no more than a pipe can hold.
            for (var late = 0; late < PipeCapacity.Largest;)
            {
                var reading = pipe.ReadAsync(buffer, impatience.Token).AsTask();
                if (await Task.WhenAny(reading, overdue) != reading)
                {
                    await impatience.CancelAsync();
                }

                var read = await reading;
                if (read == 0)
                {
                    return;
                }

                late += overdue.IsCompleted ? read : 0;
                take(buffer.AsMemory(0, read));
            }
        }
        catch (OperationCanceledException) when (impatience.IsCancellationRequested)
        {
            // All that the program itself has written was read.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// The same on a thread of its own, for gigabytes: an asynchronous wait for some KiB costs more than reading them, in all three times the processor time.
    /// </summary>
    public static Task ReadMuchAsync(Stream pipe, Task overdue, Action<ReadOnlyMemory<byte>> take) =>
        Task.Factory.StartNew(() => ReadMuch((PipeStream)pipe, overdue, take), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static void ReadMuch(PipeStream pipe, Task overdue, Action<ReadOnlyMemory<byte>> take)
    {
        PipeCapacity.Raise(pipe.SafePipeHandle);
        var buffer = new byte[BufferLength];
        for (var late = 0; late < PipeCapacity.Largest;)
        {
            // A read itself can't be given up.
            var isOverdue = overdue.IsCompleted;
            if (!WaitForBytes(pipe.SafePipeHandle, isOverdue ? 0 : LookMilliseconds))
            {
                if (isOverdue)
                {
                    return;
                }

                continue;
            }

            var read = pipe.Read(buffer);
            if (read == 0)
            {
                return;
            }

            late += isOverdue ? read : 0;
            take(buffer.AsMemory(0, read));
        }
    }

    // Whether there are bytes to read, or the pipe is at its end.
    private static bool WaitForBytes(SafeHandle pipe, int milliseconds) => Posix.Poll(pipe, Posix.CanRead, milliseconds) > 0;
}
