using System.Buffers.Binary;

namespace Crust.Formats.Vhdx;

/// <summary>
/// The block allocation table ([MS-VHDX], section 2.5): for each block of the disk where it is in the file, and, after as many of them as a chunk
/// has, a sector bitmap's place, which only disks with a parent use.
/// </summary>
internal sealed class VhdxTable
{
    // More blocks than this are made larger, so that the table takes no more than 16 MiB of memory.
    private const long MostBlocks = 1 << 21;

    private const long Zero = 2;
    private const long Present = 6;

    private readonly long _chunkRatio;
    private readonly byte[] _entries;
    private long _next;

    /// <summary>The table of a disk of zeros.</summary>
    /// <param name="size">The disk's size in bytes.</param>
    public VhdxTable(long size)
    {
        // Microsoft advises 1 MiB for Linux's file systems: larger blocks are mostly padding.
        BlockSize = VhdxStructure.Unit;
        while (BlocksOf(size) > MostBlocks)
        {
            BlockSize *= 2;
        }

        _chunkRatio = VhdxStructure.ChunkRatio(BlockSize);
        var blocks = BlocksOf(size);
        var bytes = (blocks + ((blocks - 1) / _chunkRatio)) * sizeof(long);
        _entries = new byte[(bytes + VhdxStructure.Unit - 1) / VhdxStructure.Unit * VhdxStructure.Unit];
        _next = VhdxStructure.TableOffset + _entries.Length;
        for (long block = 0; block < blocks; block++)
        {
            BinaryPrimitives.WriteInt64LittleEndian(Entry(block), Zero);
        }
    }

    /// <summary>A block's size in bytes: a power of two, 1 MiB or more.</summary>
    public int BlockSize { get; }

    /// <summary>The table as it stands in the file; whole MiB.</summary>
    public ReadOnlySpan<byte> Bytes => _entries;

    /// <summary>Gives a block the next place in the file.</summary>
    public void Add(long block)
    {
        // Places are whole MiB, so that the state fits into the bits below.
        BinaryPrimitives.WriteInt64LittleEndian(Entry(block), _next | Present);
        _next += BlockSize;
    }

    /// <summary>Whether a block has a place.</summary>
    public bool Contains(long block) => BinaryPrimitives.ReadInt64LittleEndian(Entry(block)) != Zero;

    private Span<byte> Entry(long block) => _entries.AsSpan((int)((block + (block / _chunkRatio)) * sizeof(long)), sizeof(long));

    private long BlocksOf(long size) => (size + BlockSize - 1) / BlockSize;
}
