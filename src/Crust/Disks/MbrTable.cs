using System.Buffers.Binary;
using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>An MBR with partitions of its own (UEFI specification, section 5.2.1), not one that protects a GPT. What lies inside an extended partition isn't looked into.</summary>
/// <param name="DiskId">What the specification calls the disk signature; 0 where there is none.</param>
/// <param name="Partitions">Those of the four entries that are in use, in the table's order.</param>
internal sealed record MbrTable(uint DiskId, ImmutableArray<(int Index, Partition Place)> Partitions)
{
    /// <summary>Where the MBR has the disk id, in four bytes, little endian.</summary>
    public const int DiskIdOffset = 440;

    private const int Sector = 512;
    private const int FirstEntry = 446;
    private const int EntryLength = 16;
    private const int EntryCount = 4;
    private const byte ProtectsGpt = 0xEE;

    // Both numbers of an entry have 32 bits.
    private const long LastAddressable = uint.MaxValue;

    /// <returns>Null if the disk has none.</returns>
    public static MbrTable? Read(DiskReader disk)
    {
        var sector = new byte[Sector];
        disk(sector, 0);
        if (sector[510] != 0x55 || sector[511] != 0xaa)
        {
            return null;
        }

        var found = ImmutableArray.CreateBuilder<(int, Partition)>();
        for (var index = 0; index < EntryCount; index++)
        {
            var entry = sector.AsSpan(FirstEntry + index * EntryLength, EntryLength);
            if (entry[4] == ProtectsGpt)
            {
                return null;
            }

            if (entry[4] != 0)
            {
                found.Add((index, new Partition(BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]) * (long)Sector, BinaryPrimitives.ReadUInt32LittleEndian(entry[12..]) * (long)Sector)));
            }
        }

        return found.Count == 0 ? null : new MbrTable(BinaryPrimitives.ReadUInt32LittleEndian(sector.AsSpan(DiskIdOffset)), found.ToImmutable());
    }

    /// <summary>The runs of sectors behind the MBR that no partition has, in ascending order: the first and the last of each.</summary>
    /// <param name="size">The disk's, in bytes.</param>
    public IEnumerable<(long First, long Last)> Gaps(long size)
    {
        var next = 1L;
        foreach (var (_, place) in Partitions.OrderBy(partition => partition.Place.Offset))
        {
            if (place.Offset / Sector > next)
            {
                yield return (next, place.Offset / Sector - 1);
            }

            next = Math.Max(next, (place.Offset + place.Length) / Sector);
        }

        var last = Math.Min(size / Sector - 1, LastAddressable);
        if (next <= last)
        {
            yield return (next, last);
        }
    }

    /// <summary>Writes one entry more into the MBR of a disk, into the first place that is free.</summary>
    /// <exception cref="InvalidDataException">None is.</exception>
    /// <exception cref="IOException">The disk can't be written.</exception>
    public void Add(SafeFileHandle disk, Partition place, byte type)
    {
        var index = Enumerable.Range(0, EntryCount).Except(Partitions.Select(partition => partition.Index)).Cast<int?>().FirstOrDefault()
            ?? throw new InvalidDataException("all four entries of its MBR are in use");
        var entry = new byte[EntryLength];
        // Places are by number alone; these heads, sectors and cylinders say that no BIOS is to go by them.
        new byte[] { 0xfe, 0xff, 0xff }.CopyTo(entry, 1);
        entry[4] = type;
        new byte[] { 0xfe, 0xff, 0xff }.CopyTo(entry, 5);
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(8), (uint)(place.Offset / Sector));
        BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(12), (uint)(place.Length / Sector));
        RandomAccess.Write(disk, entry, FirstEntry + index * EntryLength);
    }
}
