using System.Collections.Immutable;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// The small partition of a base that each node's image has a seed of its own in: in a GPT (UEFI specification, section 5.3) it is known by its name, and
/// in an MBR by the label of its FAT. It lies before the file systems
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

    /// <summary>The label of the empty FAT in an MBR's partition: none that a system would take for a seed.</summary>
    public const string MbrLabel = "CRUST-SEED";

    // Boot loaders of PCs lie behind an MBR, before the first MiB. What has a gap behind that leaves them their place.
    private const long FirstMiB = (1 << 20) / Sector;

    // "Non-FS data": neither a Pi's firmware nor another system takes it for its own; Linux goes by what is in it.
    private const byte MbrType = 0xda;
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
    /// <param name="makeFat">Makes an empty FAT of so many bytes, labelled <see cref="MbrLabel"/>; null where it would be too small. Only asked for an MBR.</param>
    /// <exception cref="InvalidDataException">There is no partition table or a damaged one, it has no free entry, or there is no room on the disk.</exception>
    /// <exception cref="IOException">The disk can't be read or written.</exception>
    public static Partition Add(SafeFileHandle disk, long size, Func<long, byte[]?> makeFat)
    {
        DiskReader reader = (buffer, offset) => buffer[disk.ReadUpTo(buffer, offset)..].Clear();
        if (Find(reader) is not null)
        {
            throw new InvalidDataException($"it has a partition {Name} already");
        }

        if (MbrTable.Read(reader) is { } mbr)
        {
            return AddTo(mbr, disk, size, makeFat, reader);
        }

        var table = GptTable.Read(reader) ?? throw new InvalidDataException("it has no partition table");
        var place = PlaceIn([.. table.Gaps()], table.LastUsable, size, reader) ?? throw NoRoom(size);
        // What was there is no data of anybody's any more, and mustn't be taken for a file system.
        RandomAccess.Write(disk, new byte[place.Length], place.Offset);
        table.With(Type, GptTable.IdOf($"{table.DiskId} {Name}"), place, Name).Write(disk);
        return place;
    }

    // An MBR (section 5.2) has no names: there it is the FAT that is labelled as seeds are, or as one that is still empty.
    private static IEnumerable<Partition> InMbr(DiskReader disk)
    {
        foreach (var (_, place) in MbrTable.Read(disk)?.Partitions ?? [])
        {
            var start = new byte[Sector];
            disk(start, place.Offset);
            if (place.Length >= Smallest && (start.AsSpan(FatLabel).StartsWith("CIDATA     "u8) || start.AsSpan(FatLabel).StartsWith("CRUST-SEED "u8)))
            {
                yield return place;
            }
        }
    }

    private static Partition AddTo(MbrTable table, SafeFileHandle disk, long size, Func<long, byte[]?> makeFat, DiskReader reader)
    {
        var (length, gaps) = (RandomAccess.GetLength(disk) / Sector, table.Gaps(RandomAccess.GetLength(disk)).ToList());
        var place = PlaceIn([.. gaps.Where(gap => gap.Last >= FirstMiB).Select(gap => (Math.Max(gap.First, FirstMiB), gap.Last))], length - 1, size, reader)
            ?? PlaceIn([.. gaps.Where(gap => gap.Last < FirstMiB)], length - 1, size, reader) ?? throw NoRoom(size);
        var fat = makeFat(place.Length) ?? throw new InvalidDataException($"{place.Length} bytes are too few for a FAT");
        table.Add(disk, place, MbrType);
        RandomAccess.Write(disk, fat, place.Offset);
        return place;
    }

    // In the first gap that has room, but at the end of the last one.
    private static Partition? PlaceIn(IReadOnlyList<(long First, long Last)> gaps, long lastUsable, long size, DiskReader disk)
    {
        var sectors = (size + Sector - 1) / Sector;
        foreach (var (first, last) in gaps)
        {
            var start = (first + Alignment - 1) / Alignment * Alignment;
            // Boot loaders of boards lie in gaps, too.
            if (last != lastUsable && start + sectors - 1 <= last && IsZeros(disk, start * Sector, sectors * Sector))
            {
                return new Partition(start * Sector, sectors * Sector);
            }
        }

        // At the disk's very end, so that what is before it can grow up to there.
        var atEnd = (lastUsable + 1 - sectors) / Alignment * Alignment;
        return gaps.Any(gap => gap.Last == lastUsable && atEnd >= gap.First) ? new Partition(atEnd * Sector, sectors * Sector) : null;
    }

    private static InvalidDataException NoRoom(long size) => new($"between its partitions there is no free space of {size} bytes");

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
