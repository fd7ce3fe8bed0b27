using System.Buffers.Binary;
using System.Text;
using Crust.Spec;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Isos;

/// <param name="VolumeId">Its volume id, up to 32 characters.</param>
/// <param name="BootsBios">Whether it has an El Torito boot image for BIOS.</param>
/// <param name="BootsUefi">Whether it has an El Torito boot image for UEFI.</param>
/// <param name="DeclaredSize">The volume's size in bytes, by its own descriptor.</param>
/// <param name="Size">The file's size in bytes; larger than declared where something was appended.</param>
internal sealed record IsoFacts(string VolumeId, bool BootsBios, bool BootsUefi, long DeclaredSize, long Size);

/// <summary>What an ISO's sectors say, whether or not it is whole and bootable.</summary>
/// <param name="DeclaredSize">The volume's size in bytes, by its own descriptor.</param>
/// <param name="Needed">How many bytes it must have at least: the volume, and the boot images, which may lie behind it.</param>
/// <param name="Size">The file's size in bytes.</param>
internal sealed record IsoLook(string VolumeId, long DeclaredSize, long Needed, long Size)
{
    /// <summary>Whether it has an El Torito boot record.</summary>
    public required bool HasBootRecord { get; init; }

    /// <summary>Whether it has an El Torito boot image for BIOS.</summary>
    public required bool BootsBios { get; init; }

    /// <summary>Whether it has one for UEFI.</summary>
    public required bool BootsUefi { get; init; }

    /// <summary>The partition tables in its system area, which make it boot from a USB stick: `none`, `mbr`, `gpt` or `mbr and gpt`.</summary>
    public required string Hybrid { get; init; }
}

/// <summary>Checks that a file is a whole, bootable ISO 9660 image, from a few sectors of it (ECMA-119, sections 8.1–8.4).</summary>
internal static class IsoInspector
{
    private const int SectorSize = 2048;
    private const int DiskSector = 512;
    private const int FirstDescriptor = 16;
    private const int MostDescriptors = 64;
    private const int CatalogSize = 4 * SectorSize;

    private const byte BootRecord = 0;
    private const byte PrimaryVolume = 1;
    private const byte Terminator = 255;

    /// <param name="name">What the user calls it, for messages: the path itself, or the URL that it came from.</param>
    /// <exception cref="CrustException">The file is missing, unreadable, no ISO 9660, not bootable, or cut off.</exception>
    public static IsoFacts Inspect(string path, string name)
    {
        var look = Look(path, name);
        CheckWhole(look.Size, look.DeclaredSize, name);
        if (!look.BootsBios && !look.BootsUefi)
        {
            throw Bad($"The ISO isn't bootable: it has no {(look.HasBootRecord ? "boot image for a PC in its El Torito catalog" : "El Torito boot record")}", name,
                "take the installer's bootable ISO, not one with packages or sources only");
        }

        CheckWhole(look.Size, look.Needed, name);
        return new IsoFacts(look.VolumeId, look.BootsBios, look.BootsUefi, look.DeclaredSize, look.Size);
    }

    /// <summary>Looks at a file and judges nothing.</summary>
    /// <exception cref="CrustException">It is missing, unreadable, or no ISO 9660.</exception>
    internal static IsoLook Look(string path, string name)
    {
        using var handle = Open(path, name);
        try
        {
            return Look(handle, name);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The ISO can't be read: {e.Message}", name, "check the drive that it is on", e);
        }
        catch (NotSupportedException e)
        {
            throw Bad("This isn't a regular file", name, "name an ISO file", e);
        }
    }

    private static SafeFileHandle Open(string path, string name)
    {
        try
        {
            return RegularFile.Open(path, other => Bad($"This is {other}, not an ISO", name, other == "a folder" ? "name the ISO file in it" : "name an ISO file"));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw Bad("There is no such ISO", name, "check the path; installer.iso and ISO_URL take a path or an http(s) URL", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CrustException(FailureKind.HostLacks, "The ISO may not be read by this user", name, "give this user the right to read it (chmod, chown)", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The ISO can't be opened: {e.Message}", name, "check the drive that it is on", e);
        }
    }

    private static IsoLook Look(SafeFileHandle handle, string name)
    {
        var size = RandomAccess.GetLength(handle);
        var (primary, bootRecord) = ReadDescriptors(handle);
        if (primary is null)
        {
            throw Bad(size == 0 ? "The file is empty" : "This is no ISO 9660 image: it has no primary volume descriptor", name,
                "name the installer's ISO file; an archive or a disk image of another kind must be unpacked or converted first");
        }

        var volumeId = Encoding.Latin1.GetString(primary, 40, 32).TrimEnd(' ', '\0');
        var declared = (long)BinaryPrimitives.ReadUInt32LittleEndian(primary.AsSpan(80)) * BinaryPrimitives.ReadUInt16LittleEndian(primary.AsSpan(128));
        var catalog = bootRecord is null ? null : ReadCatalog(handle, bootRecord);
        // A boot image may lie behind the volume's end, in an appended partition.
        return new IsoLook(volumeId, declared, Math.Max(declared, catalog?.End ?? 0), size)
        {
            HasBootRecord = bootRecord is not null,
            BootsBios = catalog?.Bios is true,
            BootsUefi = catalog?.Uefi is true,
            Hybrid = HybridOf(handle.ReadUpTo(0, 2 * DiskSector)),
        };
    }

    // ISO 9660 leaves the first 32 KiB to others: a USB stick's firmware finds a partition table there.
    private static string HybridOf(ReadOnlySpan<byte> area)
    {
        var hasMbr = area.Length >= DiskSector && area[510] == 0x55 && area[511] == 0xaa && area[446..510].ContainsAnyExcept((byte)0);
        var hasGpt = area.Length > DiskSector && area[DiskSector..].StartsWith("EFI PART"u8);
        return (hasMbr, hasGpt) switch { (true, true) => "mbr and gpt", (true, false) => "mbr", (false, true) => "gpt", _ => "none" };
    }

    private static (byte[]? Primary, byte[]? Boot) ReadDescriptors(SafeFileHandle handle)
    {
        byte[]? primary = null;
        byte[]? boot = null;
        for (var i = 0; i < MostDescriptors; i++)
        {
            var sector = handle.ReadUpTo((FirstDescriptor + i) * (long)SectorSize, SectorSize);
            if (sector.Length < SectorSize || !sector.AsSpan(1, 5).SequenceEqual("CD001"u8) || sector[0] == Terminator)
            {
                break;
            }

            if (sector[0] == PrimaryVolume)
            {
                primary ??= sector;
            }
            else if (sector[0] == BootRecord && sector.AsSpan(7).StartsWith(ElTorito.SystemIdentifier))
            {
                boot ??= sector;
            }
        }

        return (primary, boot);
    }

    private static BootCatalog? ReadCatalog(SafeFileHandle handle, byte[] bootRecord) =>
        ElTorito.Read(handle.ReadUpTo(BinaryPrimitives.ReadUInt32LittleEndian(bootRecord.AsSpan(71)) * (long)SectorSize, CatalogSize));

    private static void CheckWhole(long size, long needed, string name)
    {
        if (size < needed)
        {
            throw Bad($"The ISO is cut off: it has {size} of at least {needed} bytes, {Size.Format(needed - size)} are missing", name,
                "copy or download it again, and compare its checksum with its vendor's");
        }
    }

    private static CrustException Bad(string what, string name, string remedy, Exception? inner = null) =>
        new(FailureKind.BadInput, what, name, remedy, inner);
}
