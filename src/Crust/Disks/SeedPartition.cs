using System.Buffers.Binary;
using System.Collections.Immutable;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// The small partition of a base that each node's image has a seed of its own in: in a GPT (UEFI specification, section 5.3) it is told by its name, and
/// in an MBR by its label, which the base has to bring. It lies before the file systems
/// that grow on their first boot, in space that nobody uses, so that they still can.
/// </summary>
internal static class SeedPartition
{
    /// <summary>The partition's name in the GPT.</summary>
    public const string Name = "crust-seed";

    /// <summary>The smallest one: a FAT with the files of one node.</summary>
    public const long Smallest = 64 << 10;

    private const int Sector = 512;
    private const int Alignment = 8;
    private const int MbrEntries = 446;
    private const int MbrEntryLength = 16;
    private const int FatLabel = 43;

    // "Basic data" of Microsoft, which has FAT in it: every system looks into those for a file system.
    private static readonly Guid Type = new("ebd0a0a2-b9e5-4433-87c0-68b6b72699c7");

    /// <summary>Finds it.</summary>
    /// <param name="disk">Reads the disk.</param>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="InvalidDataException">The GPT is damaged, or has two of them.</exception>
    public static Partition? Find(DiskReader disk)
    {
        ImmutableArray<Partition> found = GptTable.Read(disk) is { } table
            ? [.. table.Entries.Where(entry => table.NameOf(entry.Index) == Name).Select(entry => entry.Place)]
            : [.. InMbr(disk)];
        return found.Length switch
        {
            0 => null,
            1 => found[0],
            _ => throw new InvalidDataException("two of its partitions are for seeds"),
        };
    }

    /// <summary>Adds it to a raw disk. The same disk and size give the same bytes.</summary>
    /// <param name="disk">Open for reading and writing.</param>
    /// <param name="size">Its size in bytes; whole sectors.</param>
    /// <exception cref="InvalidDataException">There is no GPT or a damaged one, it has no free entry, or there is no room on the disk.</exception>
    /// <exception cref="IOException">The disk can't be read or written.</exception>
    public static Partition Add(SafeFileHandle disk, long size)
    {
        DiskReader reader = (buffer, offset) => buffer[disk.ReadUpTo(buffer, offset)..].Clear();
        var table = GptTable.Read(reader) ?? throw new InvalidDataException("it has no GPT, in which a partition could be found by its name");
        if (Find(reader) is not null)
        {
            throw new InvalidDataException($"it has a partition {Name} already");
        }

        var place = PlaceIn(table, size, reader);
        // What was there is no data of anybody's any more, and mustn't be taken for a file system.
        RandomAccess.Write(disk, new byte[place.Length], place.Offset);
        table.With(Type, GptTable.IdOf($"{table.DiskId} {Name}"), place, Name).Write(disk);
        return place;
    }

    // An MBR (section 5.2) has no names: there it is the FAT that is labelled as seeds are.
    private static IEnumerable<Partition> InMbr(DiskReader disk)
    {
        var mbr = new byte[Sector];
        disk(mbr, 0);
        for (var at = MbrEntries; at < MbrEntries + 4 * MbrEntryLength && mbr[510] == 0x55 && mbr[511] == 0xaa; at += MbrEntryLength)
        {
            var place = new Partition(BinaryPrimitives.ReadUInt32LittleEndian(mbr.AsSpan(at + 8)) * (long)Sector,
                BinaryPrimitives.ReadUInt32LittleEndian(mbr.AsSpan(at + 12)) * (long)Sector);
            var start = new byte[Sector];
            disk(start, place.Offset);
            if (mbr[at + 4] != 0 && place.Length >= Smallest && start.AsSpan(FatLabel).StartsWith("CIDATA     "u8))
            {
                yield return place;
            }
        }
    }

    private static Partition PlaceIn(GptTable table, long size, DiskReader disk)
    {
        var sectors = (size + Sector - 1) / Sector;
        var gaps = table.Gaps().ToList();
        foreach (var (first, last) in gaps)
        {
            var start = (first + Alignment - 1) / Alignment * Alignment;
            // Boot loaders of boards lie in gaps, too.
            if (last != table.LastUsable && start + sectors - 1 <= last && IsZeros(disk, start * Sector, sectors * Sector))
            {
                return new Partition(start * Sector, sectors * Sector);
            }
        }

        // At the disk's very end, so that what is before it can grow up to there.
        var atEnd = (table.LastUsable + 1 - sectors) / Alignment * Alignment;
        return gaps is [.., var tail] && tail.Last == table.LastUsable && atEnd >= tail.First
            ? new Partition(atEnd * Sector, sectors * Sector)
            : throw new InvalidDataException($"between its partitions there is no free space of {sectors * Sector} bytes");
    }

    private static bool IsZeros(DiskReader disk, long offset, long length)
    {
        var buffer = new byte[(int)Math.Min(length, 1 << 20)];
        for (var done = 0L; done < length; done += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, length - done));
            disk(part, offset + done);
            if (part.ContainsAnyExcept((byte)0))
            {
                return false;
            }
        }

        return true;
    }
}
