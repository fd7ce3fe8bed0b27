using System.Buffers.Binary;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// Fits a GPT to a raw disk that became longer (UEFI specification, section 5.3): the backup goes to the new end, the primary header names it and the sectors that can
/// be used now, and the protective MBR covers the whole disk. Partitions stay what they are.
/// </summary>
internal static class GptGrowth
{
    private const int Sector = 512;
    private const int SmallestHeader = 92;
    private const int MostEntries = 1024;
    private const byte ProtectiveMbr = 0xee;

    // Offsets in the header.
    private const int HeaderSize = 12;
    private const int HeaderCrc = 16;
    private const int MyLba = 24;
    private const int AlternateLba = 32;
    private const int LastUsable = 48;
    private const int EntriesLba = 72;
    private const int EntryCount = 80;
    private const int EntrySize = 84;
    private const int EntriesCrc = 88;

    /// <summary>Fits the table to the file's length.</summary>
    /// <returns>Why it couldn't be done, in words; null if it was done, or there is no GPT.</returns>
    /// <exception cref="IOException">The disk can't be read or written.</exception>
    public static string? Fit(SafeFileHandle disk)
    {
        if (PartitionTable.Read(disk).Kind != "gpt")
        {
            return null;
        }

        var header = disk.ReadUpTo(Sector, Sector);
        var size = U32(header, HeaderSize);
        if (size is < SmallestHeader or > Sector || CrcOfHeader(header, (int)size) != U32(header, HeaderCrc))
        {
            return "the checksum of its header is wrong";
        }

        var (count, entrySize) = (U32(header, EntryCount), U32(header, EntrySize));
        if (count > MostEntries || entrySize is < 128 or > 4096 || entrySize % 128 != 0)
        {
            return "it has more or larger entries than any system makes";
        }

        var table = disk.ReadUpTo(U64(header, EntriesLba) * Sector, (int)(count * entrySize));
        if (table.Length < count * entrySize || Crc32.Of(table) != U32(header, EntriesCrc))
        {
            return "the checksum of its entries is wrong";
        }

        var last = RandomAccess.GetLength(disk) / Sector - 1;
        var oldBackup = U64(header, AlternateLba);
        var tableSectors = (table.Length + Sector - 1) / Sector;
        var (entriesOfBackup, entriesOfPrimary) = (last - tableSectors, U64(header, EntriesLba));
        var firstFree = PartitionTable.Read(disk).Partitions.Select(partition => (partition.Offset + partition.Length) / Sector).DefaultIfEmpty(0).Max();
        if (oldBackup is < 2 || oldBackup >= last || firstFree > entriesOfBackup)
        {
            return null;
        }

        Wipe(disk, oldBackup, tableSectors, firstFree);
        var padded = new byte[tableSectors * Sector];
        table.CopyTo(padded, 0);
        RandomAccess.Write(disk, padded, entriesOfBackup * Sector);
        RandomAccess.Write(disk, Header(header, (int)size, my: last, other: 1, entriesOfBackup, lastUsable: entriesOfBackup - 1), last * Sector);
        RandomAccess.Write(disk, Header(header, (int)size, my: 1, other: last, entriesOfPrimary, lastUsable: entriesOfBackup - 1), Sector);
        CoverAll(disk, last);
        return null;
    }

    // A backup in the middle of a disk is found by nobody, or by a tool that looks for lost tables. Behind the last partition nothing else can be.
    private static void Wipe(SafeFileHandle disk, long backup, int tableSectors, long firstFree)
    {
        var start = Math.Max(firstFree, backup - tableSectors);
        if (backup >= firstFree && disk.ReadUpTo(backup * Sector, Sector).AsSpan().StartsWith("EFI PART"u8))
        {
            RandomAccess.Write(disk, new byte[(backup + 1 - start) * Sector], start * Sector);
        }
    }

    private static byte[] Header(byte[] from, int size, long my, long other, long entries, long lastUsable)
    {
        var header = (byte[])from.Clone();
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(MyLba), my);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(AlternateLba), other);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(LastUsable), lastUsable);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(EntriesLba), entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderCrc), CrcOfHeader(header, size));
        return header;
    }

    // Table 5.4: from sector 1 to the end, or as much as 32 bits can say; no cylinder, head and sector of a past geometry. A hybrid MBR has other partitions beside it, and stays as it is.
    private static void CoverAll(SafeFileHandle disk, long last)
    {
        var mbr = disk.ReadUpTo(0L, Sector);
        if (mbr[446 + 4] == ProtectiveMbr && U32(mbr, 446 + 8) == 1 && !mbr.AsSpan(462, 48).ContainsAnyExcept((byte)0))
        {
            mbr.AsSpan(446 + 5, 3).Fill(0xff);
            BinaryPrimitives.WriteUInt32LittleEndian(mbr.AsSpan(446 + 12), (uint)Math.Min(last, uint.MaxValue));
            RandomAccess.Write(disk, mbr, 0);
        }
    }

    private static uint CrcOfHeader(byte[] header, int size)
    {
        var bytes = header[..size];
        bytes.AsSpan(HeaderCrc, sizeof(uint)).Clear();
        return Crc32.Of(bytes);
    }

    private static uint U32(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private static long U64(byte[] bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(offset));
}
