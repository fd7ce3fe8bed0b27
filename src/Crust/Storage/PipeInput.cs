using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>
/// Reads documents from pipes: named ones, and those that a shell makes of `&lt;(…)`. Each is read once, whoever asks how often, since its content is gone
/// then. Neither opening nor reading can hang for ever: a signal ends it, and so does silence.
/// </summary>
internal static partial class PipeInput
{
    private const int SliceMilliseconds = 100;
    private const int Interrupted = 4;

    private static readonly ConcurrentDictionary<(string Path, ulong Device, ulong Inode), Lazy<byte[]?>> Contents = [];

    /// <summary>Ends all reading: the process is asked to end.</summary>
    public static CancellationToken Ending { get; set; }

    /// <summary>How long a pipe may be silent.</summary>
    internal static TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(30);

    /// <exception cref="IOException">It can't be looked at.</exception>
    public static bool IsPipe(string path) => FileFacts.TryOf(path, follow: true) is { Kind: FileKind.Pipe };

    /// <summary>All that comes through a pipe until its writers close it; null if that is more than so many bytes.</summary>
    /// <exception cref="IOException">It can't be opened or read.</exception>
    /// <exception cref="TimeoutException">Nothing came for a long time.</exception>
    /// <exception cref="OperationCanceledException">The process is asked to end.</exception>
    public static byte[]? Read(string path, int most)
    {
        if (FileFacts.TryOf(path, follow: true) is not { } facts)
        {
            throw new FileNotFoundException(null, path);
        }

        var read = Contents.GetOrAdd((path, facts.Device, facts.Inode), _ => new Lazy<byte[]?>(() => ReadAll(path, most)));
        return read.Value;
    }

    private static byte[]? ReadAll(string path, int most)
    {
        using var pipe = Posix.TryOpen(path, Posix.ReadOnly | Posix.NonBlocking | Posix.NoTerminal) ?? throw Posix.Error(path);
        using var content = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (var silent = TimeSpan.Zero; ;)
        {
            Ending.ThrowIfCancellationRequested();
            var ready = Wait(pipe);
            if (ready == 0)
            {
                silent += TimeSpan.FromMilliseconds(SliceMilliseconds);
                if (silent > Patience)
                {
                    throw new TimeoutException($"nothing has come through it for {Patience.TotalSeconds:0} seconds");
                }

                continue;
            }

            // A pipe that nobody has opened to write yet isn't ready; one that all writers have closed is, and gives its end.
            var count = RandomAccessRead(pipe, buffer);
            if (count == 0)
            {
                return content.ToArray();
            }

            silent = TimeSpan.Zero;
            content.Write(buffer, 0, count);
            if (content.Length > most)
            {
                return null;
            }
        }
    }

    private static int RandomAccessRead(SafeFileHandle pipe, byte[] buffer)
    {
        var count = Read(pipe, buffer, (nuint)buffer.Length);
        return count >= 0 ? (int)count : throw Posix.Error("the pipe");
    }

    private static int Wait(SafeFileHandle pipe)
    {
        var ready = Posix.Poll(pipe, Posix.CanRead, SliceMilliseconds);
        return ready >= 0 ? ready : Marshal.GetLastPInvokeError() == Interrupted ? 0 : throw Posix.Error("the pipe");
    }

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static partial nint Read(SafeFileHandle file, byte[] buffer, nuint count);
}
