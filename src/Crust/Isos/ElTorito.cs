using System.Buffers.Binary;

namespace Crust.Isos;

/// <summary>What a boot catalog offers.</summary>
/// <param name="Bios">An entry for PC BIOS.</param>
/// <param name="Uefi">An entry for UEFI.</param>
/// <param name="End">Where the last boot image begins or ends, as far as the catalog tells, in bytes from the ISO's start.</param>
internal readonly record struct BootCatalog(bool Bios, bool Uefi, long End);

/// <summary>Reads the El Torito boot catalog ("El Torito" Bootable CD-ROM Format Specification 1.0, section 2; UEFI 2.10, section 13.3.2.1).</summary>
internal static class ElTorito
{
    public static ReadOnlySpan<byte> SystemIdentifier => "EL TORITO SPECIFICATION"u8;

    private const int EntrySize = 32;
    private const byte Validation = 0x01;
    private const byte Section = 0x90;
    private const byte LastSection = 0x91;
    private const byte Extension = 0x44;
    private const byte Bootable = 0x88;
    private const byte PlatformBios = 0x00;
    private const byte PlatformUefi = 0xef;

    /// <summary>Reads a catalog; null if it isn't one.</summary>
    public static BootCatalog? Read(ReadOnlySpan<byte> catalog)
    {
        if (catalog.Length < 2 * EntrySize || !IsValidation(catalog[..EntrySize]))
        {
            return null;
        }

        var result = Add(default, catalog[1], catalog.Slice(EntrySize, EntrySize));
        var rest = catalog[(2 * EntrySize)..];
        while (rest.Length >= EntrySize && rest[0] is Section or LastSection)
        {
            var (header, platform, count) = (rest[0], rest[1], BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]));
            rest = rest[EntrySize..];
            for (var i = 0; i < count && rest.Length >= EntrySize; i++)
            {
                result = Add(result, platform, rest[..EntrySize]);
                rest = rest[EntrySize..];
                while (rest.Length >= EntrySize && rest[0] == Extension)
                {
                    rest = rest[EntrySize..];
                }
            }

            if (header == LastSection)
            {
                break;
            }
        }

        return result;
    }

    // The words of a validation entry add up to zero, and it ends with 55 AA.
    private static bool IsValidation(ReadOnlySpan<byte> entry)
    {
        ushort sum = 0;
        for (var i = 0; i < EntrySize; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16LittleEndian(entry[i..]);
        }

        return entry[0] == Validation && entry[30] == 0x55 && entry[31] == 0xaa && sum == 0;
    }

    private static BootCatalog Add(BootCatalog catalog, byte platform, ReadOnlySpan<byte> entry)
    {
        if (entry[0] != Bootable || platform is not (PlatformBios or PlatformUefi))
        {
            return catalog;
        }

        // Sectors of the image are 512 bytes; its start is counted in the CD's, of 2048 bytes.
        var sectors = BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]);
        var start = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
        return new BootCatalog(
            catalog.Bios || platform == PlatformBios,
            catalog.Uefi || platform == PlatformUefi,
            Math.Max(catalog.End, (start * 2048L) + (sectors * 512L)));
    }
}
