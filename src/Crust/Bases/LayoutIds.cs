using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Spec;

namespace Crust.Bases;

/// <summary>
/// The identities of a disk that a root file system is put onto: GUIDs of disk and partitions, UUIDs of file systems. They follow from what decides the disk, so that the same root makes
/// the same disk byte by byte, and another one another. Layers, which come after, play no part.
/// </summary>
internal static class LayoutIds
{
    // As builder/appliance/layout.gpt.sh asks for them, and layout.sh for all layouts.
    private static readonly string[] OfGpt = ["disk", "bios-partition", "efi-partition", "root-partition", "efi", "root", "hash-seed"];

    // As builder/appliance/layout.raspberry-pi.sh does. An MBR's disk id, and a FAT's, are the first four bytes.
    private static readonly string[] OfRaspberryPi = ["disk", "boot", "root", "hash-seed"];

    /// <summary>The arguments, `NAME=UUID`, that the job `layout` is given.</summary>
    public static ImmutableArray<string> Of(BaseImage root, MachineSpec machine, DiskLayout layout) =>
        [.. NamesOf(layout).Select(name => $"{name}={Uuid($"crust layout {RootWriter.Version}\n{root.Sha256}\n{machine.Arch} {machine.Disk} {layout.LowerName()}\n{name}\n")}")];

    private static string[] NamesOf(DiskLayout layout) => layout switch
    {
        DiskLayout.Gpt => OfGpt,
        DiskLayout.RaspberryPi => OfRaspberryPi,
        _ => throw new ArgumentOutOfRangeException(nameof(layout)),
    };

    // A version 8 UUID (RFC 9562, section 5.8): what is in it is ours to say.
    private static Guid Uuid(string text)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
