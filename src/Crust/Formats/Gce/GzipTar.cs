using Crust.Storage;
using Crust.Trees;

namespace Crust.Formats.Gce;

/// <summary>
/// Writes a tar archive with one raw disk, compressed, as gzip members one behind the other (RFC 1952, section 2.2): the tar header, the disk's pieces,
/// and the archive's end. Zeros are compressed once, however many there are.
/// </summary>
internal sealed class GzipTar
{
    private const int RunPieces = 64;

    private readonly HashedFile _file;
    private readonly Deflater _deflater;
    private readonly long _pieces;
    private readonly byte[] _zeros;
    private readonly byte[] _runOfZeros;
    private long _next;

    /// <param name="file">Where to; it is empty.</param>
    /// <param name="deflater">Compresses what isn't a piece.</param>
    /// <param name="disk">The disk in the archive; its length is a whole number of pieces.</param>
    public GzipTar(HashedFile file, Deflater deflater, TarMember disk)
    {
        (_file, _deflater, _pieces) = (file, deflater, disk.Length / GzipPiece.Length);
        _zeros = Compress(new byte[GzipPiece.Length]);
        _runOfZeros = Compress(new byte[RunPieces * GzipPiece.Length]);
        _file.Append(Compress(disk.Header()));
    }

    /// <summary>Writes the next piece, and the zeros before it. Pieces come in ascending order.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Append(GzipPiece piece)
    {
        if (!piece.Member.IsEmpty)
        {
            AppendZeros(piece.Index);
            _file.Append(piece.Member);
            _next++;
        }
    }

    /// <summary>Writes the zeros at the disk's end, and the archive's end.</summary>
    /// <exception cref="IOException">It can't be written.</exception>
    public void Finish()
    {
        AppendZeros(_pieces);
        _file.Append(Compress(TarMember.EndOfArchive.Span));
    }

    private void AppendZeros(long until)
    {
        for (; until - _next >= RunPieces; _next += RunPieces)
        {
            _file.Append(_runOfZeros);
        }

        for (; _next < until; _next++)
        {
            _file.Append(_zeros);
        }
    }

    private byte[] Compress(ReadOnlySpan<byte> data)
    {
        var output = new byte[data.Length + (data.Length / 64) + 64];
        return output[.._deflater.CompressToGzip(data, output)];
    }
}
