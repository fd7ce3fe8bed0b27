using Crust.Disks;
using Crust.Formats.Headers;
using Crust.Formats.Vhd;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>
/// A fixed VHD (Microsoft's specification, version 1.0) as Azure takes it: the raw disk, a whole number of MiB, and a footer. Sparse, as the disk is.
/// </summary>
internal sealed class VhdFormat : IImageFormat
{
    private const long Unit = 1 << 20;

    // What Hyper-V, Azure and QEMU take.
    private const long Largest = 2040L << 30;

    public string Name => "vhd";

    public string Extension => ".vhd";

    public string MediaType => "application/x-vhd-disk";

    public string QemuDriver => "vpc";

    public Action<ImageBytes>? HeaderCheck => VhdHeader.Check;

    public RegistryForm Registry => new() { Smaller = ImgZstFormat.FormatName };

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Copied) { LargestDisk = Largest };

    // A dynamic one begins with a copy of its footer.
    public ImageSign SignIn(ImageSample file) =>
        file.Has(0, VhdHeader.Magic) ? ImageSign.Header : file.HasInLastSector(VhdHeader.Magic) ? ImageSign.Footer : ImageSign.None;

    public Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var size = (request.Disk.Size + Unit - 1) / Unit * Unit;
        SparseFile.Duplicate(request.Disk.Path, request.Path, request.Progress, cancellation);
        using var file = File.OpenHandle(request.Path, FileMode.Open, FileAccess.ReadWrite);
        // What is between the disk's end and the footer stays a hole.
        RandomAccess.Write(file, VhdFooter.For(size, ContentUuid.Of(request.Disk, "vhd")), size);
        return Task.FromResult(new WrittenImage(Map: request.Disk.Map.Extended(file, new Extent(size, VhdFooter.Length))));
    }
}
