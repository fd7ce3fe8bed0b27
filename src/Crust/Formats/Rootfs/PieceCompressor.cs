using Crust.Formats.Zstd;

namespace Crust.Formats.Rootfs;

/// <summary>Compresses pieces of an archive, each for itself, so that all of them one behind the other are a stream. One thread at a time.</summary>
internal abstract class PieceCompressor : IDisposable
{
    /// <returns>The compressed piece's length in bytes.</returns>
    public abstract int Compress(ReadOnlySpan<byte> piece, Span<byte> output);

    public abstract void Dispose();

    /// <summary>As gzip members (RFC 1952, section 2.2).</summary>
    public static PieceCompressor Gzip() => new GzipPieces();

    /// <summary>As zstd frames (RFC 8878, section 3).</summary>
    /// <exception cref="CrustException">libzstd isn't installed.</exception>
    public static PieceCompressor Zstd() => new ZstdPieces();

    private sealed class GzipPieces : PieceCompressor
    {
        private readonly Deflater _deflater = Deflater.Create(VmdkFormat.Level);

        public override int Compress(ReadOnlySpan<byte> piece, Span<byte> output) => _deflater.CompressToGzip(piece, output);

        public override void Dispose() => _deflater.Dispose();
    }

    private sealed class ZstdPieces : PieceCompressor
    {
        private const int Level = 3;

        private readonly ZstdCompressor _compressor = new(Level);

        public override int Compress(ReadOnlySpan<byte> piece, Span<byte> output) => _compressor.Compress(piece, output);

        public override void Dispose() => _compressor.Dispose();
    }
}
