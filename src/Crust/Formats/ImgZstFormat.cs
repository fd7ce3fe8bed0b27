using Crust.Formats.Headers;
using Crust.Formats.Splicing;
using Crust.Formats.Zstd;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>
/// The raw disk, compressed with zstd (RFC 8878) by all cores, and its block map: what `bmaptool copy` writes to a disk in the time of its data.
/// In zstd's seekable format, so that readers of that find a place in it without unpacking all that is before.
/// </summary>
internal sealed class ImgZstFormat : IImageFormat
{
    public const string FormatName = "img.zst";

    // Raise it when a change of Crust makes another stream of the same disk.
    private const int Version = 1;

    public string Name => FormatName;

    public string Extension => ".img.zst";

    public string MediaType => "application/vnd.efi.img+zstd";

    public string QemuDriver => QemuDisk.Raw;

    public string RecipeOf(BuildSpec spec, FormatServices services) => $"zstd {Version}";

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Compressed) { Libraries = [HostLibrary.Zstd], Tools = ["zstd"], IsUnpackedToBoot = true };

    public ImageSign SignIn(ImageSample file) => file.Has(0, [0x28, 0xb5, 0x2f, 0xfd]) ? ImageSign.Compression : ImageSign.None;

    public async Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation)
    {
        RegularFile.Require(image, "image", "name an image: a regular file");
        var path = Path.Combine(scratch, $"{Path.GetFileName(image)}.{Guid.NewGuid():N}.raw");
        using var disk = new SparseDisk(path, image);
        try
        {
            await tools.RunAsync(ToolCommand.Of("zstd", "-d", "-q", "-c", "--", Path.GetFullPath(image)) with { OnOutput = bytes => disk.Append(bytes.Span), Limits = ToolLimits.OfMemory },
                cancellation);
            disk.Finish();
            return new QemuDisk(QemuDriver, path);
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be unpacked: {e.What}", image, "give an image that is whole, compressed with zstd", e);
        }
    }

    public bool HasTemplates => true;

    public ImageTemplate OpenTemplate(string image) => ZstdTemplate.Open(image);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation) =>
        new(await ZstdDisk.WriteAsync(request.Disk, request.Path, Environment.ProcessorCount, request.Progress, request.Cores, cancellation), request.Disk.Map);
}
