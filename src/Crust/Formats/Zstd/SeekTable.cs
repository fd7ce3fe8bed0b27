using System.Buffers.Binary;
using System.Collections.Immutable;
using Crust.Storage;

namespace Crust.Formats.Zstd;

/// <summary>A frame of a zstd stream. All in bytes.</summary>
/// <param name="Offset">Where it starts in the stream.</param>
/// <param name="ContentOffset">Where its content starts in what the stream unpacks to.</param>
internal readonly record struct ZstdFrame(long Offset, int Length, long ContentOffset, int ContentLength);

/// <summary>
/// The table at the end of a stream whose frames can be found without reading it: zstd's seekable format, version 0.1.0
/// (contrib/seekable_format in zstd's sources). It lies in a skippable frame, so that every decoder passes over it.
/// </summary>
internal static class SeekTable
{
    private const uint SkippableMagic = 0x184D2A5E;
    private const uint FooterMagic = 0x8F92EAB1;
    private const int HeaderLength = 8;
    private const int EntryLength = 8;
    private const int FooterLength = 9;

    // The seekable format's own limit is 2^27; these are 64 TiB of data.
    private const int MostFrames = 1 << 24;

    /// <summary>The table of frames that follow one another.</summary>
    public static byte[] Of(IReadOnlyCollection<ZstdFrame> frames)
    {
        var table = new byte[HeaderLength + frames.Count * EntryLength + FooterLength];
        BinaryPrimitives.WriteUInt32LittleEndian(table, SkippableMagic);
        BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(4), table.Length - HeaderLength);
        var at = HeaderLength;
        foreach (var frame in frames)
        {
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(at), frame.Length);
            BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(at + 4), frame.ContentLength);
            at += EntryLength;
        }

        BinaryPrimitives.WriteInt32LittleEndian(table.AsSpan(at), frames.Count);
        // Then a byte of flags: entries have no checksums, since frames have.
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(at + 5), FooterMagic);
        return table;
    }

    /// <summary>Reads the table of a stream that Crust has written, or that somebody says so of.</summary>
    /// <param name="stream">The stream's path.</param>
    /// <param name="most">The most frames that it can have.</param>
    /// <exception cref="IOException">The stream can't be read.</exception>
    /// <exception cref="InvalidDataException">It has no such table.</exception>
    public static ImmutableArray<ZstdFrame> Read(string stream, long most = MostFrames)
    {
        using var file = File.OpenHandle(stream);
        var footer = ReadBack(file, FooterLength, 0);
        if (BinaryPrimitives.ReadUInt32LittleEndian(footer.AsSpan(5)) != FooterMagic || footer[4] != 0)
        {
            throw new InvalidDataException($"{stream} has no table of its frames");
        }

        var count = BinaryPrimitives.ReadInt32LittleEndian(footer);
        if (count < 0 || count > Math.Min(most, MostFrames) || (long)count * EntryLength > RandomAccess.GetLength(file))
        {
            throw new InvalidDataException($"{stream} has a table of more frames than it can hold");
        }

        var entries = ReadBack(file, count * EntryLength, FooterLength);
        var frames = ImmutableArray.CreateBuilder<ZstdFrame>(count);
        var next = default(ZstdFrame);
        for (var at = 0; at < entries.Length; at += EntryLength)
        {
            next = new ZstdFrame(next.Offset + next.Length, BinaryPrimitives.ReadInt32LittleEndian(entries.AsSpan(at)),
                next.ContentOffset + next.ContentLength, BinaryPrimitives.ReadInt32LittleEndian(entries.AsSpan(at + 4)));
            if (next.Length < 0 || next.ContentLength < 0)
            {
                throw new InvalidDataException($"{stream} has a table with a frame of a negative length");
            }

            frames.Add(next);
        }

        return frames.MoveToImmutable();
    }

    private static byte[] ReadBack(Microsoft.Win32.SafeHandles.SafeFileHandle file, int length, int fromEnd)
    {
        var bytes = file.ReadUpTo(Math.Max(0, RandomAccess.GetLength(file) - fromEnd - length), length);
        return bytes.Length == length ? bytes : throw new InvalidDataException("The stream is too short for a table of its frames");
    }
}
