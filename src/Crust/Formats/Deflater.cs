using System.IO.Compression;
using System.Runtime.InteropServices;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>Compresses one piece of data after the other, each for itself. One thread at a time.</summary>
internal abstract class Deflater : IDisposable
{
    /// <summary>The fastest one that this host has.</summary>
    /// <param name="level">libdeflate's level, from 1 (fast) to 12 (small).</param>
    public static Deflater Create(int level) => LibdeflateDeflater.IsAvailable ? new LibdeflateDeflater(level) : new ZLibDeflater();

    /// <summary>Writes the data as a zlib stream (RFC 1950).</summary>
    /// <param name="output">Must have room for the data, and a hundredth more, even if the data can't be compressed.</param>
    /// <returns>The stream's length in bytes.</returns>
    public abstract int Compress(ReadOnlySpan<byte> data, Span<byte> output);

    /// <summary>Writes the data as a gzip member (RFC 1952), without a name or a time.</summary>
    /// <param name="output">Must have room for the data, a hundredth more, and 32 bytes, even if the data can't be compressed.</param>
    /// <returns>The member's length in bytes.</returns>
    public abstract int CompressToGzip(ReadOnlySpan<byte> data, Span<byte> output);

    public abstract void Dispose();
}

/// <summary>By libdeflate (Debian's package libdeflate0), which is two to six times as fast as zlib for whole pieces of data.</summary>
internal sealed unsafe partial class LibdeflateDeflater : Deflater
{
    private const string Library = "libdeflate.so.0";
    private readonly nint _compressor;

    public LibdeflateDeflater(int level)
    {
        _compressor = Allocate(level);
        if (_compressor == 0)
        {
            throw new InsufficientMemoryException($"{Library} could not allocate a compressor of level {level}");
        }
    }

    public static bool IsAvailable { get; } = HostLibrary.Deflate.IsThere();

    public override int Compress(ReadOnlySpan<byte> data, Span<byte> output)
    {
        fixed (byte* from = data)
        fixed (byte* to = output)
        {
            return Checked(Compress(_compressor, from, (nuint)data.Length, to, (nuint)output.Length));
        }
    }

    public override int CompressToGzip(ReadOnlySpan<byte> data, Span<byte> output)
    {
        fixed (byte* from = data)
        fixed (byte* to = output)
        {
            return Checked(CompressToGzip(_compressor, from, (nuint)data.Length, to, (nuint)output.Length));
        }
    }

    public override void Dispose() => Free(_compressor);

    private static int Checked(nuint length) => length > 0 ? (int)length : throw new ArgumentException("the compressed data doesn't fit its room");

    [LibraryImport(Library, EntryPoint = "libdeflate_alloc_compressor")]
    private static partial nint Allocate(int level);

    [LibraryImport(Library, EntryPoint = "libdeflate_zlib_compress")]
    private static partial nuint Compress(nint compressor, byte* data, nuint length, byte* output, nuint room);

    [LibraryImport(Library, EntryPoint = "libdeflate_gzip_compress")]
    private static partial nuint CompressToGzip(nint compressor, byte* data, nuint length, byte* output, nuint room);

    [LibraryImport(Library, EntryPoint = "libdeflate_free_compressor")]
    private static partial void Free(nint compressor);
}

/// <summary>By .NET's own zlib, for hosts without libdeflate.</summary>
internal sealed unsafe class ZLibDeflater : Deflater
{
    public override int Compress(ReadOnlySpan<byte> data, Span<byte> output) =>
        Compress(data, output, stream => new ZLibStream(stream, CompressionLevel.Optimal, leaveOpen: true));

    public override int CompressToGzip(ReadOnlySpan<byte> data, Span<byte> output) =>
        Compress(data, output, stream => new GZipStream(stream, CompressionLevel.Optimal, leaveOpen: true));

    private static int Compress(ReadOnlySpan<byte> data, Span<byte> output, Func<Stream, Stream> compressing)
    {
        fixed (byte* to = output)
        {
            using var stream = new UnmanagedMemoryStream(to, 0, output.Length, FileAccess.Write);
            using (var compressor = compressing(stream))
            {
                compressor.Write(data);
            }

            return (int)stream.Length;
        }
    }

    public override void Dispose()
    {
    }
}
