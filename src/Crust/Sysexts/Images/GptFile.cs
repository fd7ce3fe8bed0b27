using System.Buffers.Binary;
using System.Text;
using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>A partition that is written: a file's bytes, or bytes in memory.</summary>
internal sealed record GptPart(Guid Type, Guid Id, string Name, string? File, byte[]? Content)
{
    public long Length => Content?.Length ?? new FileInfo(File!).Length;
}

/// <summary>Writes a disk image with a GUID partition table (UEFI specification, section 5.3), of which all partitions are read-only.</summary>
internal static class GptFile
{
    private const int Sector = 512;
    private const int Entries = 128;
    private const int EntryLength = 128;
    private const int TableSectors = Entries * EntryLength / Sector;
    private const long Alignment = 1 << 20;

    // Discoverable Partitions Specification, "Partition Flags".
    private const ulong ReadOnly = 1UL << 60;

    public static async Task WriteAsync(string path, Guid disk, IReadOnlyList<GptPart> parts, CancellationToken cancellation)
    {
        await using var file = File.Create(path);
        var table = new byte[Entries * EntryLength];
        var end = Alignment;
        for (var index = 0; index < parts.Count; index++)
        {
            var part = parts[index];
            var length = (part.Length + 4095) & ~4095L;
            Entry(table.AsSpan(index * EntryLength), part, end / Sector, ((end + length) / Sector) - 1);
            file.Position = end;
            foreach (var piece in part.File is null ? [part.Content!] : TreeContent.OfFile(part.File, 0, part.Length).Pieces())
            {
                await file.WriteAsync(piece, cancellation);
            }

            end = (end + length + Alignment - 1) & ~(Alignment - 1);
        }

        // The second table and header are the disk's last sectors.
        var sectors = (end + Alignment) / Sector;
        file.SetLength(sectors * Sector);
        file.Position = 0;
        await file.WriteAsync(ProtectiveMbr(sectors), cancellation);
        await file.WriteAsync(Header(disk, table, 1, sectors - 1, 2, sectors), cancellation);
        await file.WriteAsync(table, cancellation);
        file.Position = (sectors - 1 - TableSectors) * Sector;
        await file.WriteAsync(table, cancellation);
        await file.WriteAsync(Header(disk, table, sectors - 1, 1, sectors - 1 - TableSectors, sectors), cancellation);
    }

    private static void Entry(Span<byte> entry, GptPart part, long first, long last)
    {
        part.Type.TryWriteBytes(entry);
        part.Id.TryWriteBytes(entry[16..]);
        BinaryPrimitives.WriteInt64LittleEndian(entry[32..], first);
        BinaryPrimitives.WriteInt64LittleEndian(entry[40..], last);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[48..], ReadOnly);
        Encoding.Unicode.GetBytes(part.Name, entry[56..]);
    }

    private static byte[] Header(Guid disk, byte[] table, long own, long other, long tableAt, long sectors)
    {
        const int length = 92;
        var header = new byte[Sector];
        "EFI PART"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), 0x10000);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), length);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), own);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), other);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), 2 + TableSectors);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(48), sectors - 2 - TableSectors);
        disk.TryWriteBytes(header.AsSpan(56));
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(72), tableAt);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(80), Entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(84), EntryLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(88), Crc32(table));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), Crc32(header.AsSpan(0, length)));
        return header;
    }

    private static byte[] ProtectiveMbr(long sectors)
    {
        var mbr = new byte[Sector];
        var entry = mbr.AsSpan(446);
        ((ReadOnlySpan<byte>)[0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff]).CopyTo(entry);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], 1);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], (uint)Math.Min(sectors - 1, uint.MaxValue));
        (mbr[510], mbr[511]) = (0x55, 0xaa);
        return mbr;
    }

    // The polynomial of IEEE 802.3, reflected.
    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
            }
        }

        return ~crc;
    }
}
