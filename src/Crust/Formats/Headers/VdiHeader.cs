using System.Buffers.Binary;

namespace Crust.Formats.Headers;

/// <summary>What a VDI, VirtualBox's own format, says of other files (block/vdi.c in QEMU's sources): the ids of a disk that it is a child of.</summary>
internal static class VdiHeader
{
    private const int Length = 512;
    private const int LinkId = 0x1a8;
    private const int IdsLength = 32;

    public const int MagicOffset = 0x40;

    public static ReadOnlySpan<byte> Magic => [0x7f, 0x10, 0xda, 0xbe];

    /// <exception cref="NeedsOtherFilesException">The image needs another file.</exception>
    /// <exception cref="InvalidDataException">The image isn't a VDI.</exception>
    public static void Check(ImageBytes image)
    {
        var header = image.Read(0, Length, "its header");
        if (!header.AsSpan(MagicOffset).StartsWith(Magic))
        {
            throw new InvalidDataException("it doesn't begin as one");
        }

        // Dynamic and fixed; the others are undo images and children.
        if (U32(header, 0x4c) is not (1 or 2) || header.AsSpan(LinkId, IdsLength).ContainsAnyExcept((byte)0))
        {
            throw new NeedsOtherFilesException("a parent disk: it is a differencing one, or a part of one");
        }

        image.Require(U32(header, 0x154), (ulong)U32(header, 0x180) * sizeof(uint), "its map of blocks");
    }

    private static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at));
}
