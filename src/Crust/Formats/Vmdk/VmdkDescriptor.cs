namespace Crust.Formats.Vmdk;

/// <summary>The text in a VMDK that describes the disk (Virtual Disk Format 5.0, "The Descriptor File").</summary>
internal static class VmdkDescriptor
{
    /// <param name="sectors">The disk's size in sectors of 512 bytes.</param>
    /// <param name="content">What the disk holds, as a SHA-256 in hex: all ids derive from it.</param>
    /// <param name="fileName">The image's own name: libvmdk looks for the extent under it.</param>
    public static string For(long sectors, string content, string fileName)
    {
        // VMware keeps two content ids for itself: fffffffe (not set) and ffffffff (no parent).
        var contentId = Convert.FromHexString(content.AsSpan(0, 32));
        contentId[12] &= 0x7f;
        var longId = Convert.ToHexStringLower(contentId);

        // 255 heads and 63 sectors are what SCSI adapters have for all disks above 1 GiB, and nobody looks at them any more.
        // There is no ddb.uuid: it becomes the disk's SCSI serial number, and each machine made from the image shall get its own.
        // toolsVersion 2147483647 and toolsInstallType 4 say that the guest sees to its VMware tools itself.
        return $"""
            # Disk DescriptorFile
            version=1
            encoding="UTF-8"
            CID={longId[24..]}
            parentCID=ffffffff
            createType="streamOptimized"

            # Extent description
            RDONLY {sectors} SPARSE "{Quotable(fileName)}"

            # The Disk Data Base
            #DDB

            ddb.adapterType = "lsilogic"
            ddb.geometry.cylinders = "{Math.Clamp(sectors / (255 * 63), 1, 65535)}"
            ddb.geometry.heads = "255"
            ddb.geometry.sectors = "63"
            ddb.longContentID = "{longId}"
            ddb.toolsInstallType = "4"
            ddb.toolsVersion = "2147483647"
            ddb.uuid.image = "{Uuid(content[..32])}"
            ddb.uuid.modification = "{Uuid(content[32..])}"
            ddb.uuid.parent = "{Guid.Empty}"
            ddb.uuid.parentmodification = "{Guid.Empty}"
            ddb.virtualHWVersion = "4"

            """;
    }

    // The format has no way to write a quotation mark inside quotation marks.
    private static string Quotable(string name) => string.Concat(name.Select(c => c == '"' || char.IsControl(c) ? '_' : c));

    // Version 8, variant 1: made up of something of the application's own (RFC 9562, section 5.8).
    private static string Uuid(string hex) => $"{hex[..8]}-{hex[8..12]}-8{hex[13..16]}-a{hex[17..20]}-{hex[20..]}";
}
