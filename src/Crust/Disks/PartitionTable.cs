using System.Buffers.Binary;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>A partition. Offsets and lengths in bytes.</summary>
internal readonly record struct Partition(long Offset, long Length);

/// <summary>What stands at a disk's start: GPT (UEFI specification, section 5.3) or MBR (5.2).</summary>
/// <param name="Kind">`gpt`, `mbr` or `none`.</param>
/// <param name="Partitions">Its partitions in the table's order; logical ones inside an extended MBR partition are not looked into.</param>
internal sealed record PartitionTable(string Kind, IReadOnlyList<Partition> Partitions)
{
    private const int Sector = 512;
    private const byte ProtectiveMbr = 0xEE;

    /// <summary>Reads the table of a raw disk with 512-byte sectors. Garbage gives a table of kind `none`.</summary>
    /// <exception cref="IOException">The disk can't be read.</exception>
    public static PartitionTable Read(SafeFileHandle disk)
    {
        Span<byte> mbr = stackalloc byte[Sector];
        if (disk.ReadUpTo(mbr, 0) < Sector || mbr[510] != 0x55 || mbr[511] != 0xAA)
        {
            return new("none", []);
        }

        var partitions = new List<Partition>();
        for (var entry = mbr[446..510]; !entry.IsEmpty; entry = entry[16..])
        {
            if (entry[4] == ProtectiveMbr)
            {
                return ReadGpt(disk);
            }

            if (entry[4] != 0)
            {
                partitions.Add(new(
                    BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]) * (long)Sector,
                    BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]) * (long)Sector));
            }
        }

        return partitions.Count > 0 ? new("mbr", partitions) : new("none", []);
    }

    private static PartitionTable ReadGpt(SafeFileHandle disk)
    {
        Span<byte> header = stackalloc byte[Sector];
        if (disk.ReadUpTo(header, Sector) < Sector || !header.StartsWith("EFI PART"u8))
        {
            return new("none", []);
        }

        var entries = BinaryPrimitives.ReadInt64LittleEndian(header[72..]);
        var count = Math.Min(BinaryPrimitives.ReadUInt32LittleEndian(header[80..]), 1024);
        var size = BinaryPrimitives.ReadUInt32LittleEndian(header[84..]);
        if (entries is < 2 or > long.MaxValue / Sector || size is < 128 or > 4096)
        {
            return new("none", []);
        }

        var table = disk.ReadUpTo(entries * Sector, (int)(count * size));
        var partitions = new List<Partition>();
        for (var at = 0; at + size <= table.Length; at += (int)size)
        {
            var entry = table.AsSpan(at, (int)size);
            var first = BinaryPrimitives.ReadInt64LittleEndian(entry[32..]);
            var last = BinaryPrimitives.ReadInt64LittleEndian(entry[40..]);
            // An unused entry has a type GUID of zeros.
            if (entry[..16].ContainsAnyExcept((byte)0) && first >= 0 && last >= first && last < long.MaxValue / Sector)
            {
                partitions.Add(new(first * Sector, (last - first + 1) * Sector));
            }
        }

        return new("gpt", partitions);
    }
}
