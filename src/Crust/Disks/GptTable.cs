using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// A GPT whose checksums are right (UEFI specification, section 5.3), to be looked at, to get another entry, and to be moved to another end. Places in it are in sectors of 512 bytes.
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

    // Offsets in an entry.
    private const int First = 32;
    private const int Last = 40;
    private const int NameOffset = 56;
    private const int NameLength = 72;

    private readonly byte[] _header;
    private readonly byte[] _table;

    private GptTable(byte[] header, byte[] table) => (_header, _table) = (header, table);

    public Guid DiskId => new(_header.AsSpan(Id, 16));

    public long FirstUsable => I64(_header, FirstUsableLba);

    public long LastUsable => I64(_header, LastUsableLba);

    /// <summary>The sector of the backup's header.</summary>
    public long Backup => I64(_header, AlternateLba);

    /// <summary>How many sectors the entries take.</summary>
    public int Sectors => (_table.Length + Sector - 1) / Sector;

    /// <summary>The entries that are in use, with their numbers from 0.</summary>
    public IEnumerable<(int Index, Partition Place)> Entries =>
        from index in Enumerable.Range(0, _table.Length / Width)
        let entry = BytesOf(index).ToArray()
        where IsUsed(entry)
        let first = I64(entry, First)
        let last = I64(entry, Last)
        where first >= 0 && last >= first && last < long.MaxValue / Sector
        select (index, new Partition(first * Sector, (last - first + 1) * Sector));

    private int Width => BinaryPrimitives.ReadInt32LittleEndian(_header.AsSpan(EntrySize));

    /// <summary>A version 8 UUID (RFC 9562, section 5.8) that follows from a text.</summary>
    public static Guid IdOf(string text)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }

    /// <inheritdoc cref="Read(DiskReader)"/>
    public static GptTable? Read(SafeFileHandle disk) => Read((buffer, offset) => buffer[disk.ReadUpTo(buffer, offset)..].Clear());

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

    /// <summary>An entry's name.</summary>
    public string NameOf(int index) => Encoding.Unicode.GetString(BytesOf(index).Slice(NameOffset, NameLength)).TrimEnd('\0');

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

    /// <summary>The same with one partition more, in the first entry that is free: one without a type (table 5.7). One whose sectors make no sense isn't.</summary>
    /// <param name="type">The partition's type.</param>
    /// <param name="name">At most 36 characters.</param>
    /// <exception cref="InvalidDataException">No entry is free.</exception>
    public GptTable With(Guid type, Guid id, Partition place, string name)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, NameLength / sizeof(char));
        for (var index = 0; index < _table.Length / Width; index++)
        {
            if (!IsUsed(BytesOf(index)))
            {
                var table = (byte[])_table.Clone();
                var entry = table.AsSpan(index * Width, Width);
                entry.Clear();
                type.TryWriteBytes(entry);
                id.TryWriteBytes(entry[16..]);
                BinaryPrimitives.WriteInt64LittleEndian(entry[First..], place.Offset / Sector);
                BinaryPrimitives.WriteInt64LittleEndian(entry[Last..], (place.Offset + place.Length) / Sector - 1);
                Encoding.Unicode.GetBytes(name, entry[NameOffset..]);
                return new GptTable(_header, table);
            }
        }

        throw new InvalidDataException("its GPT has no free entry");
    }

    /// <summary>The same for a disk of another length: the backup's header is in its last sector, the backup's entries are right before it, and all before those can be used.</summary>
    public GptTable EndingAt(long last)
    {
        var header = (byte[])_header.Clone();
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(AlternateLba), last);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(LastUsableLba), last - Sectors - 1);
        return new GptTable(header, _table);
    }

    /// <summary>Writes the table and its backup: first the backup, so that at every moment one of the two is whole.</summary>
    /// <exception cref="IOException">The disk can't be written.</exception>
    public void Write(SafeFileHandle disk)
    {
        var primary = I64(_header, MyLba);
        Write(disk, Backup, primary, Backup - Sectors);
        Write(disk, primary, Backup, I64(_header, EntriesLba));
    }

    private static bool IsUsed(ReadOnlySpan<byte> entry) => entry[..16].ContainsAnyExcept((byte)0);

    private static long I64(byte[] bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(offset));

    private static uint CrcOf(byte[] header, int size)
    {
        var bytes = header[..size];
        bytes.AsSpan(HeaderCrc, sizeof(uint)).Clear();
        return Crc32.Of(bytes);
    }

    private ReadOnlySpan<byte> BytesOf(int index) => _table.AsSpan(index * Width, Width);

    private void Write(SafeFileHandle disk, long my, long other, long entries)
    {
        var header = (byte[])_header.Clone();
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(MyLba), my);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(AlternateLba), other);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(EntriesLba), entries);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(EntriesCrc), Crc32.Of(_table));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderCrc), CrcOf(header, BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(HeaderSize))));
        var table = new byte[Sectors * Sector];
        _table.CopyTo(table, 0);
        RandomAccess.Write(disk, table, entries * Sector);
        RandomAccess.Write(disk, header, my * Sector);
    }
}
