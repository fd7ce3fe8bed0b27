using System.Buffers.Binary;

namespace Crust.Formats.Headers;

/// <summary>What a VHDX says of other files ([MS-VHDX], sections 2.2.3 and 2.6): a differencing one has a parent locator among its metadata.</summary>
internal static class VhdxHeader
{
    private const int Kibi = 1024;
    private const int TableLength = 64 * Kibi;
    private const int EntryLength = 32;
    private const int MostEntries = 2047;
    private const int FirstRegion = 1024 * Kibi;
    private const uint Required = 1;
    private const uint RequiredItem = 4;
    private const uint HasParent = 2;

    private static readonly Guid Bat = new("2DC27766-F623-4200-9D64-115E9BFD4A08");
    private static readonly Guid Metadata = new("8B7CA206-4790-4B9A-B8FE-575F050F886E");
    private static readonly Guid FileParameters = new("CAA16737-FA36-4D43-B3B6-33F0AA44E76B");
    private static readonly Guid ParentLocator = new("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C");

    // The disk's size, its id, its logical and its physical sector size.
    private static readonly Guid[] OtherItems =
        [new("2FA54224-CD1B-4876-B211-5DBED83BF4B8"), new("BECA12AB-B2E6-4523-93EF-C309E000C746"), new("8141BF1D-A96F-4709-BA47-F233A8FAAB5F"), new("CDA348C7-445D-4471-9CC9-E9885251C556")];

    /// <summary>How an image begins that is one.</summary>
    public static ReadOnlySpan<byte> Magic => "vhdxfile"u8;

    /// <exception cref="NeedsOtherFilesException">The image names another file.</exception>
    /// <exception cref="InvalidDataException">The image isn't a VHDX.</exception>
    public static void Check(ImageBytes image)
    {
        if (!image.ReadUpTo(0, Magic.Length).AsSpan().SequenceEqual(Magic))
        {
            throw new InvalidDataException("it doesn't begin as one");
        }

        // There are two copies, of which a reader takes the one whose checksum is right: neither may name anything.
        var tables = new[] { 192 * Kibi, 256 * Kibi }.Select(at => image.ReadUpTo(at, TableLength)).Where(table => table.Length == TableLength && table.AsSpan().StartsWith("regi"u8)).ToList();
        if (tables.Count == 0)
        {
            throw new InvalidDataException("it has no region table");
        }

        foreach (var table in tables)
        {
            CheckRegions(image, table);
        }
    }

    private static void CheckRegions(ImageBytes image, byte[] table)
    {
        var found = false;
        foreach (var entry in Entries(table, 16, U32(table, 8), "its region table"))
        {
            var (kind, at, length) = (new Guid(table.AsSpan(entry, 16)), U64(table, entry + 16), U32(table, entry + 24));
            if (kind != Bat && kind != Metadata)
            {
                if ((U32(table, entry + 28) & Required) != 0)
                {
                    throw new InvalidDataException($"it needs a region that this Crust doesn't know ({kind})");
                }

                continue;
            }

            if (at < FirstRegion)
            {
                throw new InvalidDataException("a region of it lies in its header");
            }

            image.Require(at, length, "a region of it");
            if (kind == Metadata)
            {
                found = true;
                CheckMetadata(image, (long)at, length);
            }
        }

        if (!found)
        {
            throw new InvalidDataException("it has no metadata");
        }
    }

    private static void CheckMetadata(ImageBytes image, long at, uint length)
    {
        if (length < TableLength)
        {
            throw new InvalidDataException("its metadata is shorter than its table");
        }

        var table = image.Read(at, TableLength, "its metadata");
        if (!table.AsSpan().StartsWith("metadata"u8))
        {
            throw new InvalidDataException("its metadata has no table");
        }

        var found = false;
        foreach (var entry in Entries(table, EntryLength, BinaryPrimitives.ReadUInt16LittleEndian(table.AsSpan(10)), "its table of metadata"))
        {
            var item = new Guid(table.AsSpan(entry, 16));
            var (offset, size) = (U32(table, entry + 16), U32(table, entry + 20));
            if (item == ParentLocator)
            {
                throw new NeedsOtherFilesException("a parent disk, for which it has a locator");
            }

            if (item == FileParameters)
            {
                if (offset < TableLength || size < 8 || (ulong)offset + size > length)
                {
                    throw new InvalidDataException("its parameters lie outside of its metadata");
                }

                found = true;
                if ((U32(image.Read(at + offset, 8, "its parameters"), 4) & HasParent) != 0)
                {
                    throw new NeedsOtherFilesException("a parent disk: it is a differencing one");
                }
            }
            else if (!OtherItems.Contains(item) && (U32(table, entry + 24) & RequiredItem) != 0)
            {
                throw new InvalidDataException($"it needs metadata that this Crust doesn't know ({item})");
            }
        }

        if (!found)
        {
            throw new InvalidDataException("it has no parameters");
        }
    }

    private static IEnumerable<int> Entries(byte[] table, int first, uint count, string what) =>
        count <= MostEntries && first + (int)count * EntryLength <= table.Length ? Enumerable.Range(0, (int)count).Select(index => first + index * EntryLength)
            : throw new InvalidDataException($"{what} has more entries than it can");

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));

    private static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(at));
}
