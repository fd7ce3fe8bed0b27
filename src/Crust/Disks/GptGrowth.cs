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
    private const byte ProtectiveMbr = 0xee;

    /// <summary>Fits the table to the file's length.</summary>
    /// <returns>Why it couldn't be done, in words; null if it was done, or there is no GPT.</returns>
    /// <exception cref="IOException">The disk can't be read or written.</exception>
    public static string? Fit(SafeFileHandle disk)
    {
        if (PartitionTable.Read(disk).Kind != "gpt")
        {
            return null;
        }

        try
        {
            if (GptTable.Read(disk) is { } table)
            {
                Move(disk, table, RandomAccess.GetLength(disk) / Sector - 1);
            }

            return null;
        }
        catch (InvalidDataException e)
        {
            return e.Message;
        }
    }

    private static void Move(SafeFileHandle disk, GptTable table, long last)
    {
        var moved = table.EndingAt(last);
        var firstFree = table.Entries.Select(entry => (entry.Place.Offset + entry.Place.Length) / Sector).DefaultIfEmpty(0).Max();
        if (table.Backup is >= 2 && table.Backup < last && firstFree <= moved.LastUsable + 1)
        {
            Wipe(disk, table.Backup, table.Sectors, firstFree);
            moved.Write(disk);
            CoverAll(disk, last);
        }
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

    // Table 5.4: from sector 1 to the end, or as much as 32 bits can say; no cylinder, head and sector of a past geometry. A hybrid MBR has other partitions beside it, and stays as it is.
    private static void CoverAll(SafeFileHandle disk, long last)
    {
        var mbr = disk.ReadUpTo(0L, Sector);
        if (mbr[446 + 4] == ProtectiveMbr && BinaryPrimitives.ReadUInt32LittleEndian(mbr.AsSpan(446 + 8)) == 1 && !mbr.AsSpan(462, 48).ContainsAnyExcept((byte)0))
        {
            mbr.AsSpan(446 + 5, 3).Fill(0xff);
            BinaryPrimitives.WriteUInt32LittleEndian(mbr.AsSpan(446 + 12), (uint)Math.Min(last, uint.MaxValue));
            RandomAccess.Write(disk, mbr, 0);
        }
    }
}
