using Microsoft.Win32.SafeHandles;

namespace Crust.Storage;

/// <summary>Reads a range of a file whole: one read(2) may give less than there is.</summary>
internal static class FileRanges
{
    /// <summary>Reads until the buffer is full or the file ends.</summary>
    /// <returns>How many bytes were read.</returns>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static int ReadUpTo(this SafeFileHandle file, Span<byte> buffer, long offset)
    {
        var filled = 0;
        for (var read = -1; read != 0 && filled < buffer.Length; filled += read)
        {
            read = RandomAccess.Read(file, buffer[filled..], offset + filled);
        }

        return filled;
    }

    /// <summary>Reads a range, or as much of it as there is.</summary>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static byte[] ReadUpTo(this SafeFileHandle file, long offset, int length)
    {
        var bytes = new byte[length];
        var read = file.ReadUpTo(bytes, offset);
        return read == length ? bytes : bytes[..read];
    }
}
