using System.Runtime.InteropServices;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>Copies runs between files: inside the kernel, where it can (copy_file_range(2)), and by reading and writing elsewhere.</summary>
internal static partial class FileRange
{
    // So that whoever cancels waits for no more.
    private const int Piece = 16 << 20;
    private const int BufferLength = 1 << 20;

    /// <exception cref="IOException">The source can't be read or became shorter, or the target can't be written.</exception>
    public static void Copy(SafeFileHandle source, long offset, SafeFileHandle target, long targetOffset, long length, CancellationToken cancellation)
    {
        while (length > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            // It moves both offsets on. Whatever it says is left to read and write to say: file systems refuse it for reasons of their own.
            if (CopyFileRange(source, ref offset, target, ref targetOffset, (nint)Math.Min(length, Piece), 0) is var copied and > 0)
            {
                length -= copied;
                continue;
            }

            CopyByReading(source, offset, target, targetOffset, length, cancellation);
            return;
        }
    }

    internal static void CopyByReading(SafeFileHandle source, long offset, SafeFileHandle target, long targetOffset, long length, CancellationToken cancellation)
    {
        var buffer = new byte[(int)Math.Min(BufferLength, length)];
        for (var done = 0L; done < length;)
        {
            cancellation.ThrowIfCancellationRequested();
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done));
            if (source.ReadUpTo(part, offset + done) < part.Length)
            {
                throw new EndOfStreamException(Splice.BecameShorter);
            }

            RandomAccess.Write(target, part, targetOffset + done);
            done += part.Length;
        }
    }

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    private static partial nint CopyFileRange(SafeFileHandle source, ref long sourceOffset, SafeFileHandle target, ref long targetOffset, nint length, uint flags);
}
