using System.Buffers.Binary;

namespace Crust.Formats.Zstd;

/// <summary>
/// Frames of nothing but zeros, made of run-length blocks (RFC 8878, sections 3.1.1.1 and 3.1.1.2): a hole of any length costs neither
/// time to compress nor, at 4 bytes for each 128 KiB, much space.
/// </summary>
internal static class ZstdZeros
{
    private const int LongestBlock = 128 << 10;
    private const int LongestFrame = 1 << 30;
    private const int HeaderLength = 14;
    private const int BlockLength = 4;

    // Eight bytes for the content's size; no checksum, no dictionary, no single segment.
    private const byte Descriptor = 0xC0;

    // 2^(10 + 7): 128 KiB, which is also the most that a block may hold.
    private const byte Window = 7 << 3;

    private static readonly byte[] Whole = Frame(LongestFrame);

    /// <summary>The frames for so many zeros, each with the length of its content.</summary>
    public static IEnumerable<(ReadOnlyMemory<byte> Frame, int Length)> Frames(long length)
    {
        for (; length >= LongestFrame; length -= LongestFrame)
        {
            yield return (Whole, LongestFrame);
        }

        if (length > 0)
        {
            yield return (Frame((int)length), (int)length);
        }
    }

    /// <summary>The bytes of a frame's start that <see cref="IsStartOf"/> looks at.</summary>
    public const int StartLength = 6;

    /// <summary>Whether a frame is one of these, by how it starts: those of data have a checksum, and a single segment.</summary>
    public static bool IsStartOf(ReadOnlySpan<byte> frame) => frame.Length >= StartLength && frame[4] == Descriptor && frame[5] == Window;

    private static byte[] Frame(int length)
    {
        var blocks = (length + LongestBlock - 1) / LongestBlock;
        var frame = new byte[HeaderLength + blocks * BlockLength];
        BinaryPrimitives.WriteUInt32LittleEndian(frame, 0xFD2FB528);
        frame[4] = Descriptor;
        frame[5] = Window;
        BinaryPrimitives.WriteInt64LittleEndian(frame.AsSpan(6), length);
        for (var block = 0; block < blocks; block++)
        {
            var isLast = block == blocks - 1;
            var size = isLast ? length - block * LongestBlock : LongestBlock;
            const int RunLength = 1;
            // Three bytes of header, then the byte that is repeated: the fourth one, a zero.
            BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(HeaderLength + block * BlockLength), size << 3 | RunLength << 1 | (isLast ? 1 : 0));
        }

        return frame;
    }
}
