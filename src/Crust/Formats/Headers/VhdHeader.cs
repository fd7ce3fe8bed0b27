using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Crust.Formats.Headers;

/// <summary>What a VHD says of other files (Microsoft's Virtual Hard Disk Image Format Specification 1.0): only a differencing one names any.</summary>
internal static class VhdHeader
{
    private const int FooterLength = 512;
    private const int DynamicLength = 1024;
    private const int ParentName = 64;
    private const int ParentNameLength = 512;
    private const int Locators = 576;
    private const int LocatorLength = 24;
    private const uint Fixed = 2;
    private const uint Dynamic = 3;
    private const uint Differencing = 4;

    /// <summary>How a footer begins, and its copy at the start of a dynamic one.</summary>
    public static ReadOnlySpan<byte> Magic => "conectix"u8;

    /// <exception cref="NeedsOtherFilesException">The image names another file.</exception>
    /// <exception cref="InvalidDataException">The image isn't a VHD.</exception>
    public static void Check(ImageBytes image)
    {
        var start = image.ReadUpTo(0, FooterLength);
        // Virtual PC's first versions wrote one byte less.
        var end = image.Length < FooterLength ? [] : image.ReadUpTo(image.Length - FooterLength, FooterLength);
        var (atStart, atEnd) = (IsFooter(start), IsFooter(end));
        foreach (var footer in (byte[][])[.. atStart ? [start] : Array.Empty<byte[]>(), .. atEnd ? [end] : Array.Empty<byte[]>()])
        {
            if (TypeOf(footer) is Differencing)
            {
                throw new NeedsOtherFilesException("a parent disk: it is a differencing one");
            }
        }

        if (!atStart)
        {
            if (!atEnd || TypeOf(end) is not Fixed)
            {
                throw new InvalidDataException(atEnd ? "its footer says that it isn't a fixed one, and it has no copy of it at the start" : "it has no footer");
            }

            return;
        }

        if (TypeOf(start) is not Dynamic || (atEnd && TypeOf(end) is not Dynamic))
        {
            throw new InvalidDataException("the footer and its copy at the start don't say that it is a dynamic one");
        }

        CheckDynamic(image, BinaryPrimitives.ReadUInt64BigEndian(start.AsSpan(16)));
    }

    private static void CheckDynamic(ImageBytes image, ulong at)
    {
        image.Require(at, DynamicLength, "its header");
        var header = image.Read((long)at, DynamicLength, "its header");
        if (!header.AsSpan().StartsWith("cxsparse"u8))
        {
            throw new InvalidDataException("it has no header of a dynamic one");
        }

        var name = header.AsSpan(ParentName, ParentNameLength);
        if (name.ContainsAnyExcept((byte)0))
        {
            throw new NeedsOtherFilesException($"the parent disk {ImageBytes.Printable(name, Encoding.BigEndianUnicode)}");
        }

        for (var locator = 0; locator < 8; locator++)
        {
            if (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(Locators + locator * LocatorLength)) != 0)
            {
                throw new NeedsOtherFilesException("a parent disk, for which it has a locator");
            }
        }

        var (entries, block) = (BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(28)), BinaryPrimitives.ReadUInt32BigEndian(header.AsSpan(32)));
        if (!BitOperations.IsPow2(block) || block < FooterLength)
        {
            throw new InvalidDataException("its blocks have a size that can't be");
        }

        image.Require(BinaryPrimitives.ReadUInt64BigEndian(header.AsSpan(16)), (ulong)entries * sizeof(uint), "its block allocation table");
    }

    private static bool IsFooter(byte[] bytes) => bytes.Length == FooterLength && bytes.AsSpan().StartsWith(Magic);

    private static uint TypeOf(byte[] footer) => BinaryPrimitives.ReadUInt32BigEndian(footer.AsSpan(60));
}
