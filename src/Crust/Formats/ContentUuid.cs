using System.Security.Cryptography;
using System.Text;
using Crust.Disks;

namespace Crust.Formats;

/// <summary>Ids in images, which differ between disks with different bytes, and don't between two images of one disk.</summary>
internal static class ContentUuid
{
    /// <summary>A UUID of version 8 (RFC 9562, section 5.8): the first bytes of a SHA-256 over the disk's content and a purpose.</summary>
    /// <param name="purpose">What it is for: one image has several ids.</param>
    public static Guid Of(InstalledDisk disk, string purpose)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{disk.Content} {purpose}")).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
