using System.Buffers.Binary;
using System.Text;

namespace Crust.Tests.Installers;

/// <summary>Small ISO images of descriptors and nothing else, byte by byte after ECMA-119 and El Torito.</summary>
internal static class IsoBytes
{
    private const int SectorSize = 2048;
    private const int Sectors = 40;
    private const int CatalogSector = 20;

    /// <summary>An ISO with boot entries for the given platforms (0x00 BIOS, 0xef UEFI); with none, it has no boot record at all.</summary>
    public static byte[] With(string volumeId, params byte[] platforms)
    {
        var iso = new byte[Sectors * SectorSize];
        var primary = Descriptor(iso, 16, 1);
        Encoding.ASCII.GetBytes(volumeId.PadRight(32)).CopyTo(primary[40..]);
        BinaryPrimitives.WriteUInt32LittleEndian(primary[80..], Sectors);
        BinaryPrimitives.WriteUInt32BigEndian(primary[84..], Sectors);
        BinaryPrimitives.WriteUInt16LittleEndian(primary[128..], SectorSize);
        BinaryPrimitives.WriteUInt16BigEndian(primary[130..], SectorSize);
        Descriptor(iso, platforms.Length > 0 ? 18 : 17, 255);
        if (platforms.Length > 0)
        {
            var boot = Descriptor(iso, 17, 0);
            "EL TORITO SPECIFICATION"u8.CopyTo(boot[7..]);
            BinaryPrimitives.WriteUInt32LittleEndian(boot[71..], CatalogSector);
            WriteCatalog(Catalog(iso), platforms);
        }

        return iso;
    }

    /// <summary>The boot catalog in an image.</summary>
    public static Span<byte> Catalog(byte[] iso) => iso.AsSpan(CatalogSector * SectorSize, SectorSize);

    private static void WriteCatalog(Span<byte> catalog, byte[] platforms)
    {
        catalog[0] = 1;
        catalog[1] = platforms[0];
        catalog[30] = 0x55;
        catalog[31] = 0xaa;
        BinaryPrimitives.WriteUInt16LittleEndian(catalog[28..], (ushort)(0x10000 - 1 - (platforms[0] << 8) - 0xaa55 & 0xffff));
        WriteEntry(catalog[32..]);
        for (var i = 1; i < platforms.Length; i++)
        {
            var section = catalog[(i * 64)..];
            section[0] = (byte)(i == platforms.Length - 1 ? 0x91 : 0x90);
            section[1] = platforms[i];
            section[2] = 1;
            WriteEntry(section[32..]);
        }
    }

    private static void WriteEntry(Span<byte> entry)
    {
        entry[0] = 0x88;
        BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], 4);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], CatalogSector + 1);
    }

    private static Span<byte> Descriptor(byte[] iso, int sector, byte type)
    {
        var descriptor = iso.AsSpan(sector * SectorSize, SectorSize);
        descriptor[0] = type;
        "CD001"u8.CopyTo(descriptor[1..]);
        descriptor[6] = 1;
        return descriptor;
    }
}
