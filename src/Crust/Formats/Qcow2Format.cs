using Crust.Formats.Headers;
using Crust.Formats.Qcow2;
using Crust.Formats.Splicing;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>
/// QEMU's own format (docs/interop/qcow2 in QEMU's sources), compressed by many threads; clusters of zeros are absent. Read by QEMU 5.1 and
/// newer with zstd, by older ones with zlib, by whoever reads qcow2 at all without compression.
/// </summary>
internal sealed class Qcow2Format : IImageFormat
{
    public string Name => "qcow2";

    public string Extension => ".qcow2";

    public string MediaType => "application/x-qemu-disk";

    public string? QemuDriver => "qcow2";

    public Action<ImageBytes>? HeaderCheck => Qcow2Header.Check;

    public string RecipeOf(BuildSpec spec, FormatServices services) => $"compression={spec.Qcow2.Compression.LowerName()}";

    public FormatNeeds NeedsOf(BuildSpec spec) => new(spec.Qcow2.Compression is Qcow2Compression.None ? ImageWeight.Raw : ImageWeight.Compressed);

    public ImageSign SignIn(ImageSample file) => file.Has(0, Qcow2Header.Magic) ? ImageSign.Header : ImageSign.None;

    public bool HasTemplates => true;

    public ImageTemplate OpenTemplate(string image) => Qcow2Template.Open(image);

    // No -W: written out of order, the clusters' places would differ from run to run.
    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var compression = request.Spec.Qcow2.Compression;
        await QemuImg.ConvertAsync(request,
            ["-O", "qcow2", "-m", "16", .. compression is Qcow2Compression.None ? Array.Empty<string>() : ["-c", "-o", $"compression_type={compression.LowerName()}"]],
            cancellation);
        return new WrittenImage();
    }
}
