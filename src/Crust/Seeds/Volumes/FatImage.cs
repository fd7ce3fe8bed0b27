using System.Buffers.Binary;
using System.Text;

namespace Crust.Seeds.Volumes;

/// <summary>A file of a volume that is made in memory.</summary>
/// <param name="Name">Its name in the root folder: letters of ASCII, digits, `-`, `_` and `.`.</param>
internal sealed record FatFile(string Name, ReadOnlyMemory<byte> Content);

/// <summary>
/// A small FAT12 volume with files in its root folder, made in memory (Microsoft's "FAT: General Overview of On-Disk Format", version 1.03): no program is started, which
/// thousands of seeds would take minutes for, and the same files make the same bytes. Files have long names, since `user-data` is none of 8.3; all are of 1 January 1980,
/// the first day that FAT knows.
/// </summary>
internal static class FatImage
{
    /// <summary>The largest volume in bytes.</summary>
    public const long Largest = MostClusters * 64L * Sector;

    private const int Sector = 512;
    private const int RootEntries = 128;
    private const int EntryLength = 32;
    private const int RootSectors = RootEntries * EntryLength / Sector;
    private const int Copies = 2;

    // From 4085 on a volume is FAT16, whatever it says.
    private const int MostClusters = 4084;
    private const int CharactersPerEntry = 13;
    private const ushort FirstDay = 0x21;
    private const ushort EndOfFile = 0xfff;
    private const byte FixedDisk = 0xf8;

    // Where the 13 characters are in an entry of a long name.
    private static readonly int[] Places = [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30];

    /// <summary>Makes the volume.</summary>
    /// <param name="label">At most 11 characters.</param>
    /// <param name="size">Its size in bytes; what isn't a whole sector stays unused.</param>
    /// <returns>As many bytes as it has; null if the files don't fit.</returns>
    public static byte[]? Of(string label, IReadOnlyList<FatFile> files, long size)
    {
        var geometry = Geometry.Of(Math.Min(size, Largest));
        var entries = 1 + files.Sum(file => 1 + LongEntries(file.Name));
        if (geometry is null || entries > RootEntries || files.Sum(file => geometry.ClustersFor(file.Content.Length)) > geometry.Clusters)
        {
            return null;
        }

        var volume = new byte[size];
        WriteBootSector(volume, geometry, label);
        var fat = new ushort[geometry.Clusters + 2];
        (fat[0], fat[1]) = (0xf00 | FixedDisk, EndOfFile);
        var root = volume.AsSpan(geometry.RootSector * Sector, RootSectors * Sector);
        WriteShort(root, Padded(label.ToUpperInvariant(), 11), attributes: 0x08, cluster: 0, length: 0);
        var at = EntryLength;
        var next = 2;
        foreach (var (file, number) in files.Select((file, i) => (file, i + 1)))
        {
            var shortName = Padded($"F{number:D5}", 8) + "   ";
            for (var part = LongEntries(file.Name); part > 0; part--, at += EntryLength)
            {
                WriteLong(root[at..], file.Name, part, part == LongEntries(file.Name), ChecksumOf(shortName));
            }

            var clusters = geometry.ClustersFor(file.Content.Length);
            WriteShort(root[at..], shortName, attributes: 0x20, clusters == 0 ? 0 : next, file.Content.Length);
            at += EntryLength;
            file.Content.Span.CopyTo(volume.AsSpan(geometry.OffsetOf(next)));
            for (var i = 0; i < clusters; i++, next++)
            {
                fat[next] = i == clusters - 1 ? EndOfFile : (ushort)(next + 1);
            }
        }

        for (var copy = 0; copy < Copies; copy++)
        {
            WriteTable(volume.AsSpan((1 + copy * geometry.TableSectors) * Sector, geometry.TableSectors * Sector), fat);
        }

        return volume;
    }

    private static int LongEntries(string name) => (name.Length + CharactersPerEntry - 1) / CharactersPerEntry;

    private static string Padded(string name, int length) => name.Length <= length ? name.PadRight(length) : name[..length];

    private static void WriteBootSector(Span<byte> sector, Geometry geometry, string label)
    {
        ReadOnlySpan<byte> jump = [0xeb, 0x3c, 0x90];
        jump.CopyTo(sector);
        Encoding.ASCII.GetBytes("MSWIN4.1").CopyTo(sector[3..]);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[11..], Sector);
        sector[13] = (byte)geometry.SectorsPerCluster;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[14..], 1);
        sector[16] = Copies;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[17..], RootEntries);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[19..], (ushort)(geometry.Sectors <= ushort.MaxValue ? geometry.Sectors : 0));
        sector[21] = FixedDisk;
        BinaryPrimitives.WriteUInt16LittleEndian(sector[22..], (ushort)geometry.TableSectors);
        // A past geometry, as every program writes it.
        BinaryPrimitives.WriteUInt16LittleEndian(sector[24..], 63);
        BinaryPrimitives.WriteUInt16LittleEndian(sector[26..], 255);
        BinaryPrimitives.WriteUInt32LittleEndian(sector[32..], (uint)(geometry.Sectors > ushort.MaxValue ? geometry.Sectors : 0));
        sector[36] = 0x80;
        sector[38] = 0x29;
        // At 39 the volume's serial number. Nodes' volumes are told apart by what is in them.
        BinaryPrimitives.WriteUInt32LittleEndian(sector[39..], 0x43525553);
        Encoding.ASCII.GetBytes(Padded(label.ToUpperInvariant(), 11)).CopyTo(sector[43..]);
        Encoding.ASCII.GetBytes("FAT12   ").CopyTo(sector[54..]);
        (sector[510], sector[511]) = (0x55, 0xaa);
    }

    private static void WriteShort(Span<byte> entry, string name, byte attributes, int cluster, int length)
    {
        Encoding.ASCII.GetBytes(name).CopyTo(entry);
        entry[11] = attributes;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[16..], FirstDay);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[18..], FirstDay);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[24..], FirstDay);
        BinaryPrimitives.WriteUInt16LittleEndian(entry[26..], (ushort)cluster);
        BinaryPrimitives.WriteInt32LittleEndian(entry[28..], length);
    }

    private static void WriteLong(Span<byte> entry, string name, int part, bool isLast, byte checksum)
    {
        entry[0] = (byte)(part | (isLast ? 0x40 : 0));
        entry[11] = 0x0f;
        entry[13] = checksum;
        for (var i = 0; i < CharactersPerEntry; i++)
        {
            var at = (part - 1) * CharactersPerEntry + i;
            // A zero ends the name, and behind it there are ones.
            BinaryPrimitives.WriteUInt16LittleEndian(entry[Places[i]..], at < name.Length ? name[at] : at == name.Length ? '\0' : ushort.MaxValue);
        }
    }

    private static byte ChecksumOf(string shortName) => shortName.Aggregate((byte)0, (sum, c) => (byte)(((sum & 1) << 7) + (sum >> 1) + c));

    // Two entries of 12 bits in three bytes.
    private static void WriteTable(Span<byte> table, ushort[] entries)
    {
        for (var i = 0; i < entries.Length; i++)
        {
            var at = i * 3 / 2;
            if (i % 2 == 0)
            {
                table[at] = (byte)entries[i];
                table[at + 1] = (byte)((table[at + 1] & 0xf0) | (entries[i] >> 8));
            }
            else
            {
                table[at] = (byte)((table[at] & 0x0f) | (entries[i] << 4));
                table[at + 1] = (byte)(entries[i] >> 4);
            }
        }
    }

    private sealed record Geometry(int Sectors, int SectorsPerCluster, int TableSectors, int Clusters)
    {
        public int RootSector => 1 + Copies * TableSectors;

        public int ClustersFor(int bytes) => (bytes + SectorsPerCluster * Sector - 1) / (SectorsPerCluster * Sector);

        public int OffsetOf(int cluster) => (RootSector + RootSectors + (cluster - 2) * SectorsPerCluster) * Sector;

        // The smallest clusters of which there are few enough.
        public static Geometry? Of(long size)
        {
            var sectors = (int)(size / Sector);
            for (var perCluster = 1; perCluster <= 64; perCluster *= 2)
            {
                // As many as there would be without tables need no more than this.
                var tableSectors = (((sectors / perCluster + 2) * 3 + 1) / 2 + Sector - 1) / Sector;
                var clusters = (sectors - 1 - RootSectors - Copies * tableSectors) / perCluster;
                if (clusters is > 0 and <= MostClusters)
                {
                    return new Geometry(sectors, perCluster, tableSectors, clusters);
                }
            }

            return null;
        }
    }
}
