using System.Buffers.Binary;

namespace Crust.Formats.Vhd;

/// <summary>
/// The last sector of a VHD ("Virtual Hard Disk Image Format Specification", Microsoft, version 1.0, "Hard Disk Footer Format"). Numbers have
/// their most significant byte first.
/// </summary>
internal static class VhdFooter
{
    /// <summary>Its length in bytes.</summary>
    public const int Length = 512;

    private const int Fixed = 2;
    private const int ChecksumAt = 64;

    /// <summary>The footer of a fixed disk.</summary>
    /// <param name="size">The disk's size in bytes.</param>
    public static byte[] For(long size, Guid id)
    {
        var footer = new byte[Length];
        "conectix"u8.CopyTo(footer);
        // Features: the bit that is always set. Version 1.0.
        BinaryPrimitives.WriteInt32BigEndian(footer.AsSpan(8), 2);
        BinaryPrimitives.WriteInt32BigEndian(footer.AsSpan(12), 0x00010000);
        // No header follows a fixed disk.
        BinaryPrimitives.WriteInt64BigEndian(footer.AsSpan(16), -1);
        // At 24 the time, seconds since 2000: none, so that the same disk is the same image.
        // Readers go by the creator: of Hyper-V's disks they believe the size, of others' only the geometry, which is always a little less.
        "win "u8.CopyTo(footer.AsSpan(28));
        BinaryPrimitives.WriteInt32BigEndian(footer.AsSpan(32), 0x000a0000);
        "Wi2k"u8.CopyTo(footer.AsSpan(36));
        BinaryPrimitives.WriteInt64BigEndian(footer.AsSpan(40), size);
        BinaryPrimitives.WriteInt64BigEndian(footer.AsSpan(48), size);
        var (cylinders, heads, sectors) = Geometry(size / 512);
        BinaryPrimitives.WriteUInt16BigEndian(footer.AsSpan(56), (ushort)cylinders);
        footer[58] = (byte)heads;
        footer[59] = (byte)sectors;
        BinaryPrimitives.WriteInt32BigEndian(footer.AsSpan(60), Fixed);
        id.TryWriteBytes(footer.AsSpan(68), bigEndian: true, out _);
        BinaryPrimitives.WriteUInt32BigEndian(footer.AsSpan(ChecksumAt), ~(uint)footer.Sum(b => b));
        return footer;
    }

    /// <summary>The geometry that the specification computes for so many sectors ("Appendix: CHS Calculation").</summary>
    internal static (int Cylinders, int Heads, int Sectors) Geometry(long total)
    {
        total = Math.Min(total, 65535L * 16 * 255);
        if (total >= 65535L * 16 * 63)
        {
            return ((int)(total / 255 / 16), 16, 255);
        }

        var perTrack = 17;
        var tracks = total / perTrack;
        var heads = Math.Max(4, (tracks + 1023) / 1024);
        if (tracks >= heads * 1024 || heads > 16)
        {
            (perTrack, heads) = (31, 16);
            tracks = total / perTrack;
        }

        if (tracks >= heads * 1024)
        {
            (perTrack, heads) = (63, 16);
            tracks = total / perTrack;
        }

        return ((int)(tracks / heads), (int)heads, perTrack);
    }
}
