using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// A GPT whose checksums are right (UEFI specification, section 5.3), to be looked at and to get another entry. Places in it are in sectors of 512 bytes.
/// </summary>
internal sealed class GptTable
{
    private const int Sector = 512;
    private const int SmallestHeader = 92;
    private const int MostEntries = 1024;
    private const int SmallestEntry = 128;
    private const int LargestEntry = 4096;

    // Offsets in the header.
    private const int HeaderSize = 12;
    private const int HeaderCrc = 16;
    private const int MyLba = 24;
    private const int AlternateLba = 32;
    private const int FirstUsableLba = 40;
    private const int LastUsableLba = 48;
    private const int Id = 56;
    private const int EntriesLba = 72;
    private const int EntryCount = 80;
    private const int EntrySize = 84;
    private const int EntriesCrc = 88;

    private readonly byte[] _header;
    private readonly byte[] _table;

    private GptTable(byte[] header, byte[] table) => (_header, _table) = (header, table);

    public Guid DiskId => new(_header.AsSpan(Id, 16));

    public long FirstUsable => I64(_header, FirstUsableLba);

    public long LastUsable => I64(_header, LastUsableLba);

    /// <summary>The entries that are in use, with their numbers from 0.</summary>
    public IEnumerable<(int Index, Partition Place)> Entries =>
        from index in Enumerable.Range(0, _table.Length / Width)
        let entry = BytesOf(index).ToArray()
        where entry.AsSpan(0, 16).ContainsAnyExcept((byte)0)
        let first = I64(entry, 32)
        let last = I64(entry, 40)
        where first >= 0 && last >= first && last < long.MaxValue / Sector
        select (index, new Partition(first * Sector, (last - first + 1) * Sector));

    private int Width => BinaryPrimitives.ReadInt32LittleEndian(_header.AsSpan(EntrySize));

    /// <summary>Reads the primary table.</summary>
    /// <returns>Null if the disk has none.</returns>
    /// <exception cref="InvalidDataException">It is damaged, or has more or larger entries than any system makes.</exception>
    public static GptTable? Read(DiskReader disk)
    {
        var header = new byte[Sector];
        disk(header, Sector);
        if (!header.AsSpan().StartsWith("EFI PART"u8))
        {
            return null;
        }

        var size = BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderSize));
        var (count, width) = (BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(EntryCount)), BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(EntrySize)));
        if (size is < SmallestHeader or > Sector || CrcOf(header, (int)size) != BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(HeaderCrc)))
        {
            throw new InvalidDataException("the checksum of its GPT's header is wrong");
        }

        if (count is 0 or > MostEntries || width is < SmallestEntry or > LargestEntry || width % SmallestEntry != 0
            || I64(header, EntriesLba) is < 2 or > long.MaxValue / Sector)
        {
            throw new InvalidDataException("its GPT has more or larger entries than any system makes");
        }

        var table = new byte[count * width];
        disk(table, I64(header, EntriesLba) * Sector);
        return Crc32.Of(table) == BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(EntriesCrc))
            ? new GptTable(header, table)
            : throw new InvalidDataException("the checksum of its GPT's entries is wrong");
    }

    public ReadOnlySpan<byte> BytesOf(int index) => _table.AsSpan(index * Width, Width);

    /// <summary>The runs of sectors that no partition has, in ascending order: the first and the last of each.</summary>
    public IEnumerable<(long First, long Last)> Gaps()
    {
        var next = FirstUsable;
        foreach (var place in Entries.Select(entry => entry.Place).OrderBy(place => place.Offset))
        {
            if (place.Offset / Sector > next)
            {
                yield return (next, place.Offset / Sector - 1);
            }

            next = Math.Max(next, (place.Offset + place.Length) / Sector);
        }

        if (next <= LastUsable)
        {
            yield return (next, LastUsable);
        }
    }

    /// <summary>The same with one entry more, in the first place that is free.</summary>
    /// <exception cref="InvalidDataException">None is.</exception>
    public GptTable With(ReadOnlySpan<byte> entry)
    {
        var used = Entries.Select(other => other.Index).ToHashSet();
        for (var index = 0; index < _table.Length / Width; index++)
        {
            if (!used.Contains(index))
            {
                var table = (byte[])_table.Clone();
                table.AsSpan(index * Width, Width).Clear();
                entry.CopyTo(table.AsSpan(index * Width));
                return new GptTable(_header, table);
            }
        }

        throw new InvalidDataException("its GPT has no free entry");
    }

    /// <summary>Writes the table and its backup: first the backup, so that at every moment one of the two is whole.</summary>
    /// <exception cref="IOException">The disk can't be written.</exception>
    public void Write(SafeFileHandle disk)
    {
        var (primary, backup) = (I64(_header, MyLba), I64(_header, AlternateLba));
        var tableSectors = (_table.Length + Sector - 1) / Sector;
        Write(disk, backup, primary, backup - tableSectors);
        Write(disk, primary, backup, I64(_header, EntriesLba));
    }

    private static long I64(byte[] bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(offset));

    private static uint CrcOf(byte[] header, int size)
    {
        var bytes = header[..size];
        bytes.AsSpan(HeaderCrc, sizeof(uint)).Clear();
        return Crc32.Of(bytes);
    }

    private void Write(SafeFileHandle disk, long my, long other, long entries)
    {
        var header = (byte[])_header.Clone();
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(MyLba), my);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(AlternateLba), other);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(EntriesLba), entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(EntriesCrc), Crc32.Of(_table));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderCrc), CrcOf(header, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(HeaderSize))));
        RandomAccess.Write(disk, _table, entries * Sector);
        RandomAccess.Write(disk, header, my * Sector);
    }
}
