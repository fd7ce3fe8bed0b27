using System.IO.Pipes;
using System.Runtime.InteropServices;
using System.Text;
using Crust.Tools;
using Microsoft.Win32.SafeHandles;

namespace Crust.Machines;

/// <summary>
/// A guest's serial port: two pipes between QEMU and Crust. Pipes, and not a socket as for the other ports: QEMU passes on each character by itself, of which
/// a Unix socket holds some 280 until somebody reads, a pipe a million. A Linux guest waits 10 ms for its port to be ready, and then loses what it has to say.
/// </summary>
internal sealed partial class SerialPipe : IDisposable
{
    private const uint ForOwner = 0b110_000_000;

    // Without anybody who writes, a pipe is at its end at once.
    private readonly SafeFileHandle _placeholder;
    private readonly SafeFileHandle _reader;
    private readonly FileStream _input;

    /// <summary>Makes the pipes.</summary>
    /// <param name="path">As QEMU is given it: the pipes are called `.in` and `.out` behind that.</param>
    /// <exception cref="IOException">They can't be made.</exception>
    public SerialPipe(string path)
    {
        Path = path;
        var (input, output) = ($"{path}.in", $"{path}.out");
        if (MakePipe(input, ForOwner) != 0 || MakePipe(output, ForOwner) != 0)
        {
            throw new IOException($"a pipe can't be made: {Marshal.GetLastPInvokeErrorMessage()}");
        }

        _input = new FileStream(input, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        _placeholder = File.OpenHandle(output, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        _reader = File.OpenHandle(output, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        PipeCapacity.Raise(_reader);
    }

    /// <summary>The path that QEMU is given.</summary>
    public string Path { get; }

    /// <summary>Types on the port, as somebody at its other end would.</summary>
    public Task TypeAsync(string text, CancellationToken cancellation) => _input.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation).AsTask();

    /// <summary>What the guest writes, until QEMU ends. QEMU must have opened the pipes.</summary>
    public Stream Open()
    {
        _placeholder.Dispose();
        var stream = new AnonymousPipeClientStream(PipeDirection.In, new SafePipeHandle(_reader.DangerousGetHandle(), ownsHandle: true));
        _reader.SetHandleAsInvalid();
        return stream;
    }

    public void Dispose()
    {
        _input.Dispose();
        _placeholder.Dispose();
        _reader.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakePipe(string path, uint mode);
}
