using System.Buffers.Binary;
using System.IO.Compression;

namespace Crust.Tests.Reports;

/// <summary>Pictures that look like a text screen from afar: lines of words in grey on black, and a bar of one colour.</summary>
internal static class SamplePng
{
    private const int Width = 720;
    private const int Height = 400;

    /// <summary>A PNG (ISO/IEC 15948), 8 bits of each of red, green and blue.</summary>
    /// <param name="lines">Lines of words, up to 24.</param>
    /// <param name="bar">The bar's colour, 0xRRGGBB.</param>
    public static byte[] Of(int lines, int bar)
    {
        var random = new Random(7);
        var rows = new byte[Height][];
        for (var y = 0; y < Height; y++)
            rows[y] = new byte[1 + (3 * Width)];
        for (var line = 0; line < lines; line++)
            for (var (x, end) = (8, random.Next(150, 650)); x < end; x += 9)
                if (random.Next(6) > 0)
                    Fill(rows, x, 6 + (16 * line), 6, 9, 0xa8a8a8);
        Fill(rows, 0, 384, Width, 16, bar);

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), Height);
        (header[8], header[9]) = (8, 2);
        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
            foreach (var row in rows)
                zlib.Write(row);

        using var png = new MemoryStream();
        png.Write([0x89, .. "PNG\r\n"u8, 0x1a, .. "\n"u8]);
        Chunk(png, "IHDR"u8, header);
        Chunk(png, "IDAT"u8, data.ToArray());
        Chunk(png, "IEND"u8, []);
        return png.ToArray();
    }

    private static void Fill(byte[][] rows, int x, int y, int width, int height, int color)
    {
        for (var row = y; row < y + height; row++)
            for (var pixel = x; pixel < x + width; pixel++)
                (rows[row][1 + (3 * pixel)], rows[row][2 + (3 * pixel)], rows[row][3 + (3 * pixel)]) = ((byte)(color >> 16), (byte)(color >> 8), (byte)color);
    }

    private static void Chunk(Stream png, ReadOnlySpan<byte> type, byte[] content)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, content.Length);
        png.Write(number);
        byte[] body = [.. type, .. content];
        png.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc(body));
        png.Write(number);
    }

    // PNG specification, annex D.
    private static uint Crc(byte[] bytes)
    {
        var crc = 0xffffffff;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
                crc = (crc & 1) == 1 ? 0xedb88320 ^ (crc >> 1) : crc >> 1;
        }

        return ~crc;
    }
}
