using System.Runtime.InteropServices;
using System.Text;
using Crust.Storage;

namespace Crust.Cli;

/// <summary>
/// Standard error, written by write(2) alone. .NET's own stream holds the lock of standard output while it writes (dotnet/runtime, ConsolePal.Unix.cs, Write), so that no result
/// could be printed as long as nobody reads messages; and a stream for files would take a place in the file that other programs write to as well.
/// </summary>
internal sealed partial class StandardError : Stream
{
    private const int Descriptor = 2;
    private const int Interrupted = 4;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>A writer of text in the terminal's encoding, which holds nothing back.</summary>
    public static StreamWriter OpenText() => new(new StandardError(), Console.OutputEncoding is UTF8Encoding ? new UTF8Encoding(false) : Console.OutputEncoding) { AutoFlush = true };

    /// <exception cref="IOException">What is left can't be written.</exception>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var written = Write(Descriptor, buffer, buffer.Length);
            if (written >= 0)
            {
                buffer = buffer[(int)written..];
            }
            else if (Marshal.GetLastPInvokeError() is Posix.WouldBlock)
            {
                // The descriptor may be non-blocking: its flags are shared with the program that started Crust.
                _ = Posix.Poll(Descriptor, Posix.CanWrite, Timeout.Infinite);
            }
            else if (Marshal.GetLastPInvokeError() != Interrupted)
            {
                throw Posix.Error("standard error");
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int file, ReadOnlySpan<byte> buffer, nint count);
}
