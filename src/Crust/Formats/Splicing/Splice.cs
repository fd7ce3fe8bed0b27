using Crust.Disks;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Splicing;

/// <summary>A file that is put together of runs of another one, which are copied as they are, and of new bytes.</summary>
internal sealed class Splice
{
    private readonly List<Piece> _pieces = [];

    /// <summary>How long it is so far, in bytes.</summary>
    public long Length { get; private set; }

    /// <summary>How many of its bytes are new.</summary>
    public long Fresh => _pieces.Sum(piece => (long)piece.Fresh.Length);

    /// <summary>The map of the disk in the file, for formats that have one beside them; null for none.</summary>
    public BlockMap? Map { get; init; }

    /// <summary>Adds a run of the other file.</summary>
    public void Copy(long offset, long length)
    {
        if (length <= 0)
        {
            return;
        }

        if (_pieces.Count > 0 && _pieces[^1] is { Fresh.IsEmpty: true } last && last.Offset + last.Length == offset)
        {
            _pieces[^1] = last with { Length = last.Length + length };
        }
        else
        {
            _pieces.Add(new Piece(offset, length, ReadOnlyMemory<byte>.Empty));
        }

        Length += length;
    }

    /// <summary>Adds new bytes, which nobody changes any more.</summary>
    public void Add(ReadOnlyMemory<byte> fresh)
    {
        if (!fresh.IsEmpty)
        {
            _pieces.Add(new Piece(0, 0, fresh));
            Length += fresh.Length;
        }
    }

    /// <summary>Writes the file.</summary>
    /// <param name="source">The other file.</param>
    /// <param name="path">The file to make, or to replace.</param>
    /// <returns>Its SHA-256 in hex.</returns>
    /// <exception cref="IOException">The other file can't be read or became shorter, or this one can't be written.</exception>
    public string WriteTo(string path, SafeFileHandle? source, CancellationToken cancellation)
    {
        using var file = new SpliceWriter(path);
        foreach (var piece in _pieces)
        {
            if (piece.Fresh.IsEmpty)
            {
                file.Copy(source ?? throw new InvalidOperationException("There is no other file."), piece.Offset, piece.Length, cancellation);
            }
            else
            {
                file.Add(piece.Fresh);
            }
        }

        return file.Sha256();
    }

    private sealed record Piece(long Offset, long Length, ReadOnlyMemory<byte> Fresh);
}
