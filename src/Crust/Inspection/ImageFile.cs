using System.Buffers.Binary;
using System.Text.Json;
using Crust.Disks;
using Crust.Formats;
using Crust.Tools;
using Microsoft.Win32.SafeHandles;

namespace Crust.Inspection;

/// <summary>Tells by a file's content, not by its name, what kind of image it is, and finds the disk in it.</summary>
internal static class ImageFile
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

    /// <summary>The kind of an image: <see cref="Iso"/>, or the name of a format, of which `vdi` is one that Crust doesn't write.</summary>
    /// <exception cref="CrustException">There is no such file, it can't be read, or it isn't an image.</exception>
    public static string KindOf(string path)
    {
        if (!Path.Exists(path))
        {
            throw Bad("There is no such image", path, "check the path");
        }

        using var file = RegularFile.Open(path, "image", "name an ISO or a disk image: a regular file");
        try
        {
            return KindOf(file, path) ?? throw Bad("This is neither an ISO nor a disk image", path, "name an ISO, or an image such as img, qcow2, vmdk, vhd, vhdx, ova; unpack one that is compressed otherwise");
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    /// <summary>Finds the disk in an image.</summary>
    /// <param name="path">The image.</param>
    /// <param name="kind">Its kind, not <see cref="Iso"/>.</param>
    /// <param name="scratch">A private folder for what has to be unpacked.</param>
    /// <param name="tools">Other programs.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CrustException">There is none in it, or it needs other files.</exception>
    public static async Task<QemuDisk> OpenAsync(string path, string kind, string scratch, ToolBox tools, CancellationToken cancellation)
    {
        var disk = kind == "vdi" ? new QemuDisk("vdi", path) : await ImageFormats.Named(kind).OpenAsync(path, scratch, tools, cancellation);
        if (disk.Driver != "raw")
        {
            await CheckAloneAsync(disk, path, tools, cancellation);
        }

        return disk;
    }

    // An image may name any file of this host as a part of itself, and whoever reads the image reads that. So may one that somebody sent.
    private static async Task CheckAloneAsync(QemuDisk disk, string path, ToolBox tools, CancellationToken cancellation)
    {
        ToolResult info;
        try
        {
            info = await tools.RunAsync(ToolCommand.Of("qemu-img", ["info", "--output=json", .. disk.Part is null ? ["-f", disk.Driver] : Array.Empty<string>(), disk.Reference]), cancellation);
        }
        catch (ToolFailedException e)
        {
            throw Bad($"The image can't be read as {disk.Driver}: {e.What}", path, "give an image that is whole, and that no machine is using", e);
        }

        using var json = JsonDocument.Parse(info.Output);
        if (Strings(json.RootElement).Where(value => value.Name is "backing-filename" or "data-file" or "filename")
            .Select(value => value.Text).FirstOrDefault(name => !IsItself(name, disk)) is { } other)
        {
            throw Bad($"The image isn't complete in itself: it needs {other}", path, $"make it one file: qemu-img convert -O qcow2 {path} whole.qcow2");
        }
    }

    private static bool IsItself(string name, QemuDisk disk) => name.StartsWith("json:", StringComparison.Ordinal) ? disk.Part is not null : Path.GetFullPath(name) == Path.GetFullPath(disk.Path);

    private static IEnumerable<(string Name, string Text)> Strings(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(one => one.Value.ValueKind is JsonValueKind.String ? [(one.Name, one.Value.GetString()!)] : Strings(one.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(Strings),
        _ => [],
    };

    private static string? KindOf(SafeFileHandle file, string path)
    {
        var head = new byte[0x10048];
        var length = file.ReadUpTo(head, 0);
        var size = RandomAccess.GetLength(file);
        bool Has(int offset, ReadOnlySpan<byte> magic) => length >= offset + magic.Length && head.AsSpan(offset).StartsWith(magic);

        return size == 0 ? throw Bad("The file is empty", path, "name an image with something in it")
            : Has(0x8001, "CD001"u8) ? Iso
            : Has(0, "QFI\xfb"u8[..3]) && head[3] == 0xfb ? "qcow2"
            : Has(0, "KDMV"u8) || Has(0, "COWD"u8) || Has(0, "# Disk DescriptorFile"u8) ? "vmdk"
            : Has(0, "vhdxfile"u8) ? "vhdx"
            : Has(0, "conectix"u8) || IsFixedVhd(file, size) ? "vhd"
            : length >= 0x44 && BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(0x40)) == 0xbeda107f ? "vdi"
            : Has(0, [0x28, 0xb5, 0x2f, 0xfd]) ? "img.zst"
            : Has(0, [0x1f, 0x8b]) ? "gce"
            : Has(257, "ustar"u8) ? ContainsOci(head.AsSpan(0, length)) ? "kubevirt" : "ova"
            : size % Sector == 0 && (Has(510, [0x55, 0xaa]) || Array.Exists(Volumes, volume => Has(volume.Offset, volume.Magic)) || !head.AsSpan().ContainsAnyExcept((byte)0)) ? Raw
            : null;
    }

    // The first member's name says it: Crust writes oci-layout first, others index.json or a blob.
    private static bool ContainsOci(ReadOnlySpan<byte> head) => head.StartsWith("oci-layout"u8) || head.StartsWith("index.json"u8) || head.StartsWith("blobs/"u8) || head.StartsWith("./oci-layout"u8);

    private static bool IsFixedVhd(SafeFileHandle file, long size)
    {
        var footer = new byte[8];
        return size > Sector && file.ReadUpTo(footer, size - Sector) == footer.Length && footer.AsSpan().SequenceEqual("conectix"u8);
    }

    private static CrustException Bad(string what, string where, string remedy, Exception? inner = null) => new(FailureKind.BadInput, what, where, remedy, inner);
}
