using System.Buffers.Binary;

namespace Crust.Tests.Disks;

/// <summary>Partition tables, byte by byte after the UEFI specification, sections 5.2 and 5.3. Sectors have 512 bytes.</summary>
internal static class DiskBytes
{
    private const int Sector = 512;
    private const int Entries = 128;
    private const int EntrySize = 128;

    private static readonly byte[] LinuxData = new Guid("0fc63daf-8483-4772-8e79-3d69d8477de4").ToByteArray();

    /// <summary>A disk's first sector with up to four partitions.</summary>
    public static byte[] Mbr(params (byte Type, uint First, uint Count)[] partitions)
    {
        var mbr = new byte[Sector];
        (mbr[510], mbr[511]) = (0x55, 0xaa);
        for (var i = 0; i < partitions.Length; i++)
        {
            var entry = mbr.AsSpan(446 + (16 * i), 16);
            entry[4] = partitions[i].Type;
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], partitions[i].First);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], partitions[i].Count);
        }

        return mbr;
    }

    /// <summary>What stands at the start of a disk of so many sectors: protective MBR, header and entries. A first sector of 0 makes an unused entry.</summary>
    public static byte[] Gpt(int sectors, params (long First, long Last)[] partitions)
    {
        var entries = new byte[Entries * EntrySize];
        for (var i = 0; i < partitions.Length; i++)
        {
            if (partitions[i].First > 0)
            {
                var entry = entries.AsSpan(i * EntrySize, EntrySize);
                LinuxData.CopyTo(entry);
                new Guid(i + 1, 0, 0, new byte[8]).ToByteArray().CopyTo(entry[16..]);
                BinaryPrimitives.WriteInt64LittleEndian(entry[32..], partitions[i].First);
                BinaryPrimitives.WriteInt64LittleEndian(entry[40..], partitions[i].Last);
            }
        }

        var header = new byte[Sector];
        "EFI PART"u8.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), 0x00010000);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), 92);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(24), 1);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(32), sectors - 1);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(40), 34);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(48), sectors - 34);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(72), 2);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(80), Entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(84), EntrySize);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(88), Crc32(entries));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), Crc32(header.AsSpan(0, 92)));
        return [.. Mbr((0xee, 1, (uint)sectors - 1)), .. header, .. entries];
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xedb88320);
            }
        }

        return ~crc;
    }
}
