using System.Buffers;
using System.IO.Pipes;

namespace Crust.Tools;

/// <summary>Reads what a program writes to one of its streams.</summary>
internal static class OutputPipe
{
    private const int BufferLength = 1 << 16;

    /// <summary>Reads a pipe as <see cref="ReadAsync(Stream, Task, Action{ReadOnlyMemory{byte}})"/> does, in large pieces: each wait for the next one costs more than reading 64 KiB.</summary>
    public static Task ReadMuchAsync(Stream pipe, Task overdue, Action<ReadOnlyMemory<byte>> take)
    {
        PipeCapacity.Raise(((PipeStream)pipe).SafePipeHandle);
        return ReadAsync(pipe, overdue, PipeCapacity.Largest, take);
    }

    /// <summary>
    /// Reads a pipe until nobody can write to it any more, or until the program's time is up. A daemon that the program has started may hold the pipe for as
    /// long as it lives; what the program itself has written is in the pipe by then, and is still read.
    /// </summary>
    /// <param name="pipe">The end of the pipe that is read.</param>
    /// <param name="overdue">Completes when the program has ended and those that it started had time to write.</param>
    /// <param name="take">Is given the bytes as they come.</param>
    public static Task ReadAsync(Stream pipe, Task overdue, Action<ReadOnlyMemory<byte>> take) => ReadAsync(pipe, overdue, BufferLength, take);

    private static async Task ReadAsync(Stream pipe, Task overdue, int bufferLength, Action<ReadOnlyMemory<byte>> take)
    {
        // The thread that starts programs is needed for the next one; and what there is to read at once is taken without giving it back.
        await Task.Yield();
        using var impatience = new CancellationTokenSource();
        var buffer = ArrayPool<byte>.Shared.Rent(bufferLength);
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
}
