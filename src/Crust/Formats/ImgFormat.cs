using Crust.Disks;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>The raw disk, sparse; shares the installed disk's blocks where the file system can.</summary>
internal sealed class ImgFormat : IImageFormat
{
    public string Name => "img";

    public string Extension => ".img";

    public string MediaType => "application/vnd.efi.img";

    public string? QemuDriver => "raw";

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Copied);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        await Task.Run(() => SparseFile.Duplicate(request.Disk.Path, request.Path, request.Progress, cancellation), cancellation);
        return new WrittenImage(Map: request.Disk.Map);
    }
}
