using System.Runtime.InteropServices;

namespace Crust.Formats.Zstd;

/// <summary>Unpacks single frames with libzstd (RFC 8878), which checks the checksum that a frame has in it.</summary>
internal static partial class ZstdDecompressor
{
    private const string Library = "libzstd.so.1";
    private const ulong MostInFirstFrame = 1 << 20;

    /// <summary>Unpacks one frame, whose content fills the given place.</summary>
    /// <exception cref="InvalidDataException">It is no frame, is damaged, or holds more or less.</exception>
    /// <exception cref="CrustException">libzstd isn't installed.</exception>
    public static void Decompress(ReadOnlySpan<byte> frame, Span<byte> content)
    {
        nuint length;
        try
        {
            length = Decompress(content, (nuint)content.Length, frame, (nuint)frame.Length);
        }
        catch (DllNotFoundException e)
        {
            throw new CrustException(FailureKind.HostLacks, "The library zstd isn't installed", Library, "install it: apt-get install libzstd1", e);
        }

        // Of errors, too: these are numbers above all lengths.
        if (length != (nuint)content.Length)
        {
            throw new InvalidDataException("a frame of its zstd stream is damaged");
        }
    }

    /// <summary>The length of the frame that some bytes begin with; behind it there may be anything.</summary>
    /// <exception cref="InvalidDataException">They begin with none, or it is cut off.</exception>
    /// <exception cref="CrustException">libzstd isn't installed.</exception>
    public static int LengthOfFrame(ReadOnlySpan<byte> bytes)
    {
        nuint length;
        try
        {
            length = FindFrameLength(bytes, (nuint)bytes.Length);
        }
        catch (DllNotFoundException e)
        {
            throw new CrustException(FailureKind.HostLacks, "The library zstd isn't installed", Library, "install it: apt-get install libzstd1", e);
        }

        return length <= (nuint)bytes.Length ? (int)length : throw new InvalidDataException("a frame of its zstd stream is damaged");
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_findFrameCompressedSize")]
    private static partial nuint FindFrameLength(ReadOnlySpan<byte> bytes, nuint length);

    /// <summary>What the first frame unpacks to; nothing if it isn't in the bytes as a whole, is damaged, doesn't say how long its content is or has more than a MiB, or there is no libzstd.</summary>
    public static byte[] FirstFrameIn(ReadOnlySpan<byte> stream)
    {
        try
        {
            var frame = LengthOfFrame(stream);
            var bytes = FrameContentSize(stream, (nuint)stream.Length) is var content and <= MostInFirstFrame ? new byte[content] : [];
            if (bytes.Length > 0)
            {
                Decompress(stream[..frame], bytes);
            }

            return bytes;
        }
        catch (Exception e) when (e is CrustException or InvalidDataException)
        {
            return [];
        }
    }

    [LibraryImport(Library, EntryPoint = "ZSTD_getFrameContentSize")]
    private static partial ulong FrameContentSize(ReadOnlySpan<byte> stream, nuint length);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompress")]
    private static partial nuint Decompress(Span<byte> content, nuint capacity, ReadOnlySpan<byte> frame, nuint length);
}
