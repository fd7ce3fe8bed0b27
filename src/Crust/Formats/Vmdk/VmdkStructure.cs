using System.Buffers.Binary;

namespace Crust.Formats.Vmdk;

/// <summary>What stands between a metadata marker's name and the metadata.</summary>
internal enum VmdkMarker
{
    /// <summary>The stream's end.</summary>
    EndOfStream = 0,

    /// <summary>A grain table follows.</summary>
    GrainTable = 1,

    /// <summary>The grain directory follows.</summary>
    GrainDirectory = 2,

    /// <summary>The footer follows.</summary>
    Footer = 3,
}

/// <summary>
/// The binary parts of a stream-optimized sparse extent (Virtual Disk Format 5.0, "Hosted Sparse Extents" and "Stream-Optimized
/// Compressed"). Numbers have their least significant byte first; places in the file and sizes are in sectors.
/// </summary>
internal static class VmdkStructure
{
    /// <summary>Bytes in a sector.</summary>
    public const int Sector = 512;

    /// <summary>Sectors in a grain, the unit that is compressed or absent. VMware's products write and expect no other size here.</summary>
    public const int GrainSectors = 128;

    /// <summary>Bytes in a grain.</summary>
    public const int Grain = GrainSectors * Sector;

    /// <summary>Entries of 4 bytes in a grain table.</summary>
    public const int TableEntries = 512;

    /// <summary>Sectors before the first grain: the header, the descriptor, and zeros up to a grain's boundary.</summary>
    public const int OverheadSectors = 128;

    /// <summary>The sector at which the descriptor begins.</summary>
    public const int DescriptorSector = 1;

    /// <summary>The descriptor's room in sectors.</summary>
    public const int DescriptorSectors = 20;

    /// <summary>Bytes before a compressed grain: where it stands on the disk, and its compressed length.</summary>
    public const int GrainMarker = 12;

    /// <summary>
    /// The most bytes that a compressed grain and its marker take, in whole sectors: deflate stores what it can't compress, at 5 bytes for each of at
    /// most 14 blocks, and zlib adds 6. VirtualBox has no more room either when it reads one.
    /// </summary>
    public const int MaximalRecord = Grain + Sector;

    /// <summary>Says in the header that the grain directory's place is told in the footer, at the file's end.</summary>
    public const ulong DirectoryAtEnd = ulong.MaxValue;

    // Bit 0: the newline characters below are valid; 16: grains are compressed; 17: markers stand before grains and metadata.
    private const uint Flags = 1 | 1 << 16 | 1 << 17;

    /// <summary>A header or a footer.</summary>
    /// <param name="sectors">The disk's size.</param>
    /// <param name="directory">Where the grain directory is, or <see cref="DirectoryAtEnd"/>.</param>
    public static byte[] Header(long sectors, ulong directory)
    {
        var header = new byte[Sector];
        "KDMV"u8.CopyTo(header);
        // Version 3: ESXi refuses compressed extents of an older one.
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), 3);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Flags);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(12), sectors);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(20), GrainSectors);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(28), DescriptorSector);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(36), DescriptorSectors);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(44), TableEntries);
        // At 48 the redundant grain directory, which this kind of extent doesn't have.
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(56), directory);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(64), OverheadSectors);
        // At 72 whether it was left open while in use. These find out copies that converted line ends.
        "\n \r\n"u8.CopyTo(header.AsSpan(73));
        // Compression: deflate.
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(77), 1);
        return header;
    }

    /// <summary>The sector that stands before metadata.</summary>
    public static byte[] Marker(VmdkMarker kind, long sectors)
    {
        var marker = new byte[Sector];
        BinaryPrimitives.WriteInt64LittleEndian(marker, sectors);
        // At 8 the compressed length, which is zero and so tells this from a grain.
        BinaryPrimitives.WriteInt32LittleEndian(marker.AsSpan(12), (int)kind);
        return marker;
    }

    /// <summary>Sectors that so many bytes take.</summary>
    public static long SectorsFor(long bytes) => (bytes + Sector - 1) / Sector;
}
