using System.Buffers.Binary;

namespace Crust.Formats.Headers;

/// <summary>What a qcow2's header says of other files, and whether its tables can be (docs/interop/qcow2.txt in QEMU's sources, versions 2 and 3).</summary>
internal static class Qcow2Header
{
    private const int ShortLength = 72;
    private const int LongLength = 104;
    private const uint DataFileExtension = 0x44415441;

    // Dirty, corrupt, compression type, extended L2 entries. The third bit is an external data file.
    private const ulong Known = 0b11011;
    private const ulong ExternalData = 0b100;
    private const ulong ExtendedL2 = 0b10000;

    // QEMU's own limits (block/qcow2.h).
    private const uint MostL1 = (32 << 20) / sizeof(ulong);
    private const uint MostRefcountTable = 8 << 20;
    private const uint MostSnapshots = 65536;

    /// <summary>How an image begins that is one.</summary>
    public static ReadOnlySpan<byte> Magic => [(byte)'Q', (byte)'F', (byte)'I', 0xfb];

    /// <exception cref="NeedsOtherFilesException">The image names another file.</exception>
    /// <exception cref="InvalidDataException">The image isn't a qcow2 header.</exception>
    public static void Check(ImageBytes image)
    {
        var header = image.Read(0, ShortLength, "its header");
        if (!header.AsSpan().StartsWith(Magic))
        {
            throw new InvalidDataException("it doesn't begin as one");
        }

        var version = U32(header, 4);
        if (version is not (2 or 3))
        {
            throw new InvalidDataException($"its version is {version}, and there are 2 and 3");
        }

        var features = 0UL;
        var length = ShortLength;
        if (version == 3)
        {
            header = image.Read(0, LongLength, "its header");
            features = U64(header, 72);
            length = (int)Math.Min(U32(header, 100), int.MaxValue);
        }

        if (U64(header, 8) is var backing and not 0)
        {
            throw new NeedsOtherFilesException(NameAt(image, backing, U32(header, 16), "a backing file"));
        }

        if ((features & ExternalData) != 0)
        {
            // Its name is in an extension, or the user's to give.
            CheckExtensions(image, length, ClusterOf(header));
            throw new NeedsOtherFilesException("an external data file");
        }

        if ((features & ~Known) is var unknown and not 0)
        {
            throw new InvalidDataException($"it needs features that this Crust doesn't know (0x{unknown:x})");
        }

        if (U32(header, 32) is not 0)
        {
            throw new InvalidDataException("it is encrypted");
        }

        var cluster = ClusterOf(header);
        if (version == 3 && (length < LongLength || length > cluster || length % 8 != 0 || U32(header, 96) > 6))
        {
            throw new InvalidDataException("its header's length or the width of its reference counts can't be");
        }

        CheckExtensions(image, length, cluster);
        CheckTables(image, header, cluster);
    }

    private static int ClusterOf(byte[] header) =>
        U32(header, 20) is >= 9 and <= 21 and var bits ? 1 << (int)bits : throw new InvalidDataException($"its clusters have 2^{U32(header, 20)} bytes, and there are 2^9 to 2^21");

    private static void CheckTables(ImageBytes image, byte[] header, int cluster)
    {
        var entries = U32(header, 36);
        if (entries > MostL1)
        {
            throw new InvalidDataException("its L1 table is larger than 32 MiB");
        }

        // What one entry covers: a table of one cluster, with entries of 8 or 16 bytes, each for a cluster.
        var (size, covered) = (U64(header, 24), (ulong)cluster * (ulong)(cluster / (HasExtendedL2(header) ? 16 : 8)));
        if (size > long.MaxValue || size / covered + (size % covered == 0 ? 0UL : 1) > entries)
        {
            throw new InvalidDataException("its L1 table is too small for the disk");
        }

        CheckTable(image, U64(header, 40), entries * sizeof(ulong), cluster, "its L1 table");
        var refcounts = (ulong)U32(header, 56) * (ulong)cluster;
        if (refcounts is 0 or > MostRefcountTable)
        {
            throw new InvalidDataException("its table of reference counts has a length that can't be");
        }

        // The last cluster of a file needn't be there as a whole.
        CheckTable(image, U64(header, 48), refcounts - (ulong)cluster + sizeof(ulong), cluster, "its table of reference counts");
        if (U32(header, 60) is var snapshots and > 0)
        {
            if (snapshots > MostSnapshots)
            {
                throw new InvalidDataException("it has more than 65536 snapshots");
            }

            // Each has at least 40 bytes.
            CheckTable(image, U64(header, 64), snapshots * 40UL, cluster, "its table of snapshots");
        }
    }

    private static bool HasExtendedL2(byte[] header) => header.Length >= LongLength && (U64(header, 72) & ExtendedL2) != 0;

    private static void CheckTable(ImageBytes image, ulong at, ulong length, int cluster, string what)
    {
        if (at == 0 && length == 0)
        {
            return;
        }

        if (at == 0 || at % (ulong)cluster != 0)
        {
            throw new InvalidDataException($"{what} lies where it can't be");
        }

        image.Require(at, length, what);
    }

    private static void CheckExtensions(ImageBytes image, int start, int cluster)
    {
        var bytes = image.ReadUpTo(0, cluster);
        for (var at = start; at >= ShortLength && at <= bytes.Length - 8;)
        {
            var (type, length) = (U32(bytes, at), U32(bytes, at + 4));
            if (type == 0)
            {
                return;
            }

            if (length > bytes.Length - at - 8)
            {
                throw new InvalidDataException("an extension of its header is longer than the header");
            }

            if (type is DataFileExtension)
            {
                throw new NeedsOtherFilesException($"the external data file {ImageBytes.Printable(bytes.AsSpan(at + 8, (int)length))}");
            }

            at += 8 + (int)((length + 7) & ~7U);
        }
    }

    // QEMU takes up to 1023 bytes, and so does this; what is outside of the file is still a name.
    private static string NameAt(ImageBytes image, ulong at, uint length, string fallback) =>
        at < (ulong)image.Length && image.ReadUpTo((long)at, (int)Math.Min(length, 1023)) is { Length: > 0 } name ? $"the backing file {ImageBytes.Printable(name)}" : fallback;

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

    private static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at));
}
