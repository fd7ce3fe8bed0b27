using System.Runtime.InteropServices;

namespace Crust.Formats.Zstd;

/// <summary>
/// Compresses with libzstd, a frame at a time (RFC 8878). Each frame has its content's size and checksum in it, and a decoder can start at it. Not
/// for several threads at once.
/// </summary>
internal sealed partial class ZstdCompressor : IDisposable
{
    private const string Library = "libzstd.so.1";

    // Of the enumeration ZSTD_cParameter in zstd.h.
    private const int CompressionLevel = 100;
    private const int ChecksumFlag = 201;

    private readonly Context _context;

    /// <param name="level">From 1 (fast) to 19 (small).</param>
    /// <exception cref="CrustException">libzstd isn't installed.</exception>
    public ZstdCompressor(int level)
    {
        try
        {
            _context = CreateContext();
        }
        catch (DllNotFoundException e)
        {
            throw new CrustException(FailureKind.HostLacks, "The library zstd isn't installed", Library, "install it: apt-get install libzstd1", e);
        }

        Check(SetParameter(_context, CompressionLevel, level));
        Check(SetParameter(_context, ChecksumFlag, 1));
    }

    /// <summary>The most bytes that a frame of so many bytes of content may need.</summary>
    public static int Bound(int length) => (int)CompressBound((nuint)length);

    /// <summary>Compresses to one frame.</summary>
    /// <returns>The frame's length.</returns>
    public int Compress(ReadOnlySpan<byte> content, Span<byte> frame) =>
        (int)Check(Compress(_context, frame, (nuint)frame.Length, content, (nuint)content.Length));

    public void Dispose() => _context.Dispose();

    private static nuint Check(nuint result) => IsError(result) == 0
        ? result
        : throw new InvalidOperationException($"zstd failed: {Marshal.PtrToStringUTF8(GetErrorName(result))}");

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    private static partial Context CreateContext();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    private static partial nuint FreeContext(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_CCtx_setParameter")]
    private static partial nuint SetParameter(Context context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_compressBound")]
    private static partial nuint CompressBound(nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_compress2")]
    private static partial nuint Compress(Context context, Span<byte> frame, nuint capacity, ReadOnlySpan<byte> content, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsError(nuint result);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint GetErrorName(nuint result);

    private sealed class Context() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            FreeContext(handle);
            return true;
        }
    }
}
