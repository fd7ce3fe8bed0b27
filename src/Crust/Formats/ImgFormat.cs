using Crust.Disks;
using Crust.Formats.Headers;
using Crust.Formats.Splicing;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>The raw disk, sparse; shares the installed disk's blocks where the file system can.</summary>
internal sealed class ImgFormat : IImageFormat
{
    // What file systems, LVM and LUKS begin with where there is no partition table.
    private static readonly (int Offset, byte[] Magic)[] Volumes =
    [
        (0x438, [0x53, 0xef]), (0, "XFSB"u8.ToArray()), (0x10040, "_BHRfS_M"u8.ToArray()), (0, "hsqs"u8.ToArray()), (0, "LUKS"u8.ToArray()),
        (0, Lvm), (ImageSample.Sector, Lvm), (2 * ImageSample.Sector, Lvm), (3 * ImageSample.Sector, Lvm), (ImageSample.Sector, "EFI PART"u8.ToArray()),
    ];

    private static byte[] Lvm => "LABELONE"u8.ToArray();

    public string Name => "img";

    public string Extension => ".img";

    public string MediaType => "application/vnd.efi.img";

    public string? QemuDriver => QemuDisk.Raw;

    public RegistryForm Registry => new() { Smaller = ImgZstFormat.FormatName };

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Copied);

    public ImageSign SignIn(ImageSample file) =>
        file.Size % ImageSample.Sector == 0 && (file.Has(510, [0x55, 0xaa]) || Array.Exists(Volumes, volume => file.Has(volume.Offset, volume.Magic)) || file.IsEmpty) ? ImageSign.Content
            : ImageSign.None;

    public bool HasTemplates => true;

    public ImageTemplate OpenTemplate(string image) => RawTemplate.Open(image);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        await Task.Run(() => SparseFile.Duplicate(request.Disk.Path, request.Path, request.Progress, cancellation), cancellation);
        return new WrittenImage(Map: request.Disk.Map);
    }
}
