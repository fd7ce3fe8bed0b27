using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Crust.Formats.Vhdx;

/// <summary>
/// The parts of a dynamic VHDX that stand before its data ([MS-VHDX], "Virtual Hard Disk v2 (VHDX) File Format"). Numbers have their least significant
/// byte first. The log is empty: the file was never left open.
/// </summary>
internal static class VhdxStructure
{
    /// <summary>Where regions and blocks may begin, and the least size of a block.</summary>
    public const int Unit = 1 << 20;

    /// <summary>Where the block allocation table begins; before it lie a MiB each of headers, log, and metadata.</summary>
    public const long TableOffset = 3 * Unit;

    private const long LogOffset = Unit;
    private const long MetadataOffset = 2 * Unit;
    private const int Kibi64 = 64 * 1024;
    private const int LogicalSector = 512;
    private const int PhysicalSector = 4096;

    // Flags of metadata: about the disk, not the file; and a reader that doesn't know it must not read on.
    private const int OfDisk = 2;
    private const int Required = 4;

    /// <summary>Payload blocks for each entry of a sector bitmap block in the table (section 2.5).</summary>
    public static long ChunkRatio(int blockSize) => (1L << 23) * LogicalSector / blockSize;

    /// <summary>The first MiB (section 2.2): what the file is, two headers, two region tables.</summary>
    /// <param name="tableLength">The block allocation table's length in bytes.</param>
    /// <param name="fileWriteId">Changes with each change of the file.</param>
    /// <param name="dataWriteId">Changes with each change of the disk.</param>
    public static byte[] Headers(long tableLength, Guid fileWriteId, Guid dataWriteId)
    {
        var headers = new byte[Unit];
        "vhdxfile"u8.CopyTo(headers);
        Encoding.Unicode.GetBytes("Crust", headers.AsSpan(8));
        for (var copy = 1; copy <= 2; copy++)
        {
            Header(headers.AsSpan(copy * Kibi64, 4096), copy, fileWriteId, dataWriteId);
            Regions(headers.AsSpan((copy + 2) * Kibi64, Kibi64), tableLength);
        }

        return headers;
    }

    /// <summary>The metadata region (section 2.6): a table, and behind it the items.</summary>
    /// <param name="size">The disk's size in bytes.</param>
    /// <param name="blockSize">A block's size in bytes.</param>
    /// <param name="diskId">The disk's id, which the guest sees.</param>
    public static byte[] Metadata(long size, int blockSize, Guid diskId)
    {
        var region = new byte[Unit];
        "metadata"u8.CopyTo(region);
        (string Id, byte[] Value, int Flags)[] items =
        [
            // File parameters: the block's size; neither fixed nor with a parent.
            ("caa16737-fa36-4d43-b3b6-33f0aa44e76b", [.. Bytes(blockSize), .. Bytes(0)], Required),
            ("2fa54224-cd1b-4876-b211-5dbed83bf4b8", BitConverter.GetBytes(size), OfDisk | Required),
            ("beca12ab-b2e6-4523-93ef-c309e000c746", diskId.ToByteArray(), OfDisk | Required),
            ("8141bf1d-a96f-4709-ba47-f233a8faab5f", Bytes(LogicalSector), OfDisk | Required),
            ("cda348c7-445d-4471-9cc9-e9885251c556", Bytes(PhysicalSector), OfDisk | Required),
        ];
        BinaryPrimitives.WriteInt16LittleEndian(region.AsSpan(10), (short)items.Length);
        var place = Kibi64;
        for (var i = 0; i < items.Length; i++)
        {
            var entry = region.AsSpan(32 * (i + 1), 32);
            new Guid(items[i].Id).TryWriteBytes(entry);
            BinaryPrimitives.WriteInt32LittleEndian(entry[16..], place);
            BinaryPrimitives.WriteInt32LittleEndian(entry[20..], items[i].Value.Length);
            BinaryPrimitives.WriteInt32LittleEndian(entry[24..], items[i].Flags);
            items[i].Value.CopyTo(region, place);
            place += items[i].Value.Length;
        }

        return region;
    }

    // Section 2.2.2. The second has the higher number and is the one that counts.
    private static void Header(Span<byte> header, int number, Guid fileWriteId, Guid dataWriteId)
    {
        "head"u8.CopyTo(header);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], number);
        fileWriteId.TryWriteBytes(header[16..]);
        dataWriteId.TryWriteBytes(header[32..]);
        // At 48 the log's id: none, so that there is nothing to replay. At 64 the log's version.
        BinaryPrimitives.WriteInt16LittleEndian(header[66..], 1);
        BinaryPrimitives.WriteInt32LittleEndian(header[68..], Unit);
        BinaryPrimitives.WriteInt64LittleEndian(header[72..], LogOffset);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Crc32C(header));
    }

    // Section 2.2.3.
    private static void Regions(Span<byte> table, long tableLength)
    {
        "regi"u8.CopyTo(table);
        BinaryPrimitives.WriteInt32LittleEndian(table[8..], 2);
        Region(table[16..], "2dc27766-f623-4200-9d64-115e9bfd4a08", TableOffset, tableLength);
        Region(table[48..], "8b7ca206-4790-4b9a-b8fe-575f050f886e", MetadataOffset, Unit);
        BinaryPrimitives.WriteUInt32LittleEndian(table[4..], Crc32C(table));
    }

    private static void Region(Span<byte> entry, string id, long offset, long length)
    {
        new Guid(id).TryWriteBytes(entry);
        BinaryPrimitives.WriteInt64LittleEndian(entry[16..], offset);
        BinaryPrimitives.WriteInt32LittleEndian(entry[24..], (int)length);
        BinaryPrimitives.WriteInt32LittleEndian(entry[28..], 1);
    }

    private static byte[] Bytes(int value) => BitConverter.GetBytes(value);

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var word in MemoryMarshal.Cast<byte, ulong>(data))
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        return ~crc;
    }
}
