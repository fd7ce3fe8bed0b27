using Crust.Disks;

namespace Crust.Formats.Gce;

/// <summary>One piece's buffers, used for many pieces of the disk.</summary>
internal sealed class GzipPiece
{
    /// <summary>Bytes of the disk in a piece: enough that the 18 bytes around each and the window that begins anew don't count.</summary>
    public const int Length = 256 * 1024;

    private readonly byte[] _data = new byte[Length];
    private readonly byte[] _member = new byte[Length + (Length / 64)];
    private long _index;
    private int _length;

    /// <summary>The piece's number, counted from the disk's start.</summary>
    public long Index => _index;

    /// <summary>The compressed piece; empty for one of zeros.</summary>
    public ReadOnlySpan<byte> Member => _member.AsSpan(0, _length);

    /// <summary>Takes the disk's next piece; false if there is none.</summary>
    public bool Read(BlockReader disk) => disk.TryRead(_data, out _index);

    public void Compress(Deflater deflater) =>
        _length = _data.AsSpan().ContainsAnyExcept((byte)0) ? deflater.CompressToGzip(_data, _member) : 0;
}
