using Crust.Storage;

namespace Crust.Formats.Archives;

/// <summary>A file's bytes in pieces, for archives that are made of several.</summary>
internal static class FilePieces
{
    private const int Piece = 1 << 20;

    /// <summary>Reads a file from front to back. Each piece is good until the next is asked for.</summary>
    /// <param name="read">Receives how many bytes were read so far.</param>
    /// <exception cref="IOException">It can't be read.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Of(string path, Action<long> read, CancellationToken cancellation)
    {
        using var file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        var buffer = new byte[Piece];
        long position = 0;
        for (int length; (length = file.ReadUpTo(buffer, position)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            position += length;
            yield return buffer.AsMemory(0, length);
            read(position);
        }
    }
}
