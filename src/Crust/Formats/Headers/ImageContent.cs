using Crust.Disks;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats.Headers;

/// <summary>Tells by a file's content, not by its name, what kind of image it is.</summary>
internal static class ImageContent
{
    /// <summary>What an ISO is called here.</summary>
    public const string Iso = "iso";

    private const string Raw = "img";
    private const int Sector = 512;

    // Where file systems, LVM and LUKS have their names when there is no partition table.
    private static readonly (int Offset, byte[] Magic)[] Volumes =
    [
        (0x438, [0x53, 0xef]), (0, "XFSB"u8.ToArray()), (0x10040, "_BHRfS_M"u8.ToArray()), (0, "hsqs"u8.ToArray()), (0, "LUKS"u8.ToArray()),
        (0, "LABELONE"u8.ToArray()), (Sector, "LABELONE"u8.ToArray()), (2 * Sector, "LABELONE"u8.ToArray()), (3 * Sector, "LABELONE"u8.ToArray()), (Sector, "EFI PART"u8.ToArray()),
    ];

    /// <summary>The kind of an image: <see cref="Iso"/>, or the name of a format, of which `vdi` is one that Crust doesn't write; null if it is none.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public static string? KindOf(SafeFileHandle file)
    {
        var head = new byte[0x10048];
        var length = file.ReadUpTo(head, 0);
        var size = RandomAccess.GetLength(file);
        bool Has(int offset, ReadOnlySpan<byte> magic) => length >= offset + magic.Length && head.AsSpan(offset).StartsWith(magic);

        return Has(0x8001, "CD001"u8) ? Iso
            : DiskKind(head.AsSpan(0, length)) is { } disk ? disk
            : IsFixedVhd(file, size) ? "vhd"
            : Has(0, [0x28, 0xb5, 0x2f, 0xfd]) ? "img.zst"
            : Has(0, [0x1f, 0x8b]) ? "gce"
            : Has(257, "ustar"u8) ? ContainsOci(head.AsSpan(0, length)) ? "kubevirt" : "ova"
            : size % Sector == 0 && (Has(510, [0x55, 0xaa]) || Array.Exists(Volumes, volume => Has(volume.Offset, volume.Magic)) || !head.AsSpan().ContainsAnyExcept((byte)0)) ? Raw
            : null;
    }

    /// <summary>What a disk that is taken for a raw one begins as; null if it begins as no other kind of disk.</summary>
    /// <exception cref="CrustException">It can't be read.</exception>
    public static string? OfDisk(QemuDisk disk)
    {
        using var file = RegularFile.Open(disk.Path, "image", "name a disk image: a regular file");
        var head = new byte[VdiHeader.MagicOffset + VdiHeader.Magic.Length];
        return DiskKind(head.AsSpan(0, file.ReadUpTo(head, disk.Part?.Offset ?? 0)));
    }

    private static string? DiskKind(ReadOnlySpan<byte> head) =>
        head.StartsWith(Qcow2Header.Magic) ? "qcow2"
        : head.StartsWith(VmdkHeader.Magic) || head.StartsWith(VmdkHeader.EsxMagic) || head.StartsWith(VmdkHeader.DescriptorMagic) ? "vmdk"
        : head.StartsWith(VhdxHeader.Magic) ? "vhdx"
        : head.StartsWith(VhdHeader.Magic) ? "vhd"
        : head.Length > VdiHeader.MagicOffset && head[VdiHeader.MagicOffset..].StartsWith(VdiHeader.Magic) ? "vdi"
        : null;

    // The first member's name says it: Crust writes oci-layout first, others index.json or a blob.
    private static bool ContainsOci(ReadOnlySpan<byte> head) => head.StartsWith("oci-layout"u8) || head.StartsWith("index.json"u8) || head.StartsWith("blobs/"u8) || head.StartsWith("./oci-layout"u8);

    private static bool IsFixedVhd(SafeFileHandle file, long size)
    {
        var footer = new byte[8];
        return size > Sector && file.ReadUpTo(footer, size - Sector) == footer.Length && footer.AsSpan().SequenceEqual(VhdHeader.Magic);
    }
}
