using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Disks;

/// <summary>
/// Puts a partition behind those of a raw disk with a GPT (UEFI specification, section 5.3): the disk becomes longer by as much, and the partitions that it has stay what and where they are.
/// </summary>
internal static class GptAddition
{
    private const int Sector = 512;
    private const long Alignment = 1 << 20;
    private const int MostName = 36;

    // Offsets in the header and in an entry.
    private const int HeaderSize = 12;
    private const int HeaderCrc = 16;
    private const int AlternateLba = 32;
    private const int EntriesLba = 72;
    private const int EntryCount = 80;
    private const int EntrySize = 84;
    private const int EntriesCrc = 88;
    private const int NameOffset = 56;

    // "Linux filesystem data" (the Discoverable Partitions Specification's generic type).
    private static readonly Guid Linux = new("0FC63DAF-8483-4772-8E79-3D69D8477DE4");

    /// <summary>Makes room at the end of a disk, and names it in both tables.</summary>
    /// <param name="length">The partition's length in bytes: whole MiB.</param>
    /// <param name="name">The partition's name.</param>
    /// <returns>Where it starts, in bytes; or why it can't be, in words.</returns>
    /// <exception cref="IOException">The disk can't be read or written.</exception>
    public static (long Offset, string? Problem) Add(SafeFileHandle disk, long length, string name)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(length % Alignment, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, MostName);
        var table = PartitionTable.Read(disk);
        if (table.Kind != "gpt")
        {
            return (0, "it has no GPT");
        }

        // Behind the last partition and all that may lie behind it, such as the backup table.
        var offset = (RandomAccess.GetLength(disk) + Alignment - 1) / Alignment * Alignment;
        RandomAccess.SetLength(disk, offset + length + Alignment);
        if (GptGrowth.Fit(disk) is { } problem)
        {
            return (0, problem);
        }

        var primary = disk.ReadUpTo(Sector, Sector);
        var (count, size) = ((int)U32(primary, EntryCount), (int)U32(primary, EntrySize));
        var entries = disk.ReadUpTo(U64(primary, EntriesLba) * Sector, count * size);
        var backup = disk.ReadUpTo(U64(primary, AlternateLba) * Sector, Sector);
        if (!backup.AsSpan().StartsWith("EFI PART"u8) || U64(primary, AlternateLba) * Sector != RandomAccess.GetLength(disk) - Sector)
        {
            return (0, "its backup table can't be moved to its new end");
        }

        var free = Enumerable.Range(0, count).Cast<int?>().FirstOrDefault(i => !entries.AsSpan(i!.Value * size, size).ContainsAnyExcept((byte)0));
        if (free is not { } index)
        {
            return (0, "its table has no free entry");
        }

        Write(entries.AsSpan(index * size, size), offset, length, name);
        foreach (var header in new[] { backup, primary })
        {
            RandomAccess.Write(disk, entries, U64(header, EntriesLba) * Sector);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(EntriesCrc), Crc32.Of(entries));
            header.AsSpan(HeaderCrc, sizeof(uint)).Clear();
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(HeaderCrc), Crc32.Of(header.AsSpan(0, (int)U32(header, HeaderSize))));
            RandomAccess.Write(disk, header, header == primary ? Sector : U64(primary, AlternateLba) * Sector);
        }

        return (offset, null);
    }

    private static void Write(Span<byte> entry, long offset, long length, string name)
    {
        Linux.TryWriteBytes(entry);
        // The same for the same place on the same kind of disk, so that the same inputs give the same bytes.
        var id = SHA256.HashData(Encoding.UTF8.GetBytes($"{name} {offset} {length}")).AsSpan(0, 16);
        id[6] = (byte)((id[6] & 0x0f) | 0x80);
        id[8] = (byte)((id[8] & 0x3f) | 0x80);
        new Guid(id, bigEndian: true).TryWriteBytes(entry[16..]);
        BinaryPrimitives.WriteInt64LittleEndian(entry[32..], offset / Sector);
        BinaryPrimitives.WriteInt64LittleEndian(entry[40..], ((offset + length) / Sector) - 1);
        Encoding.Unicode.GetBytes(name, entry[NameOffset..]);
    }

    private static uint U32(byte[] bytes, int offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(offset));

    private static long U64(byte[] bytes, int offset) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(offset));
}
