using Crust.Formats.Headers;
using Crust.Formats.Rootfs;
using Crust.Formats.Zstd;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>The same archive as <see cref="RootfsFormat"/>'s, compressed with zstd (RFC 8878): smaller, and unpacked in a fraction of the time.</summary>
internal sealed class RootfsZstFormat : IImageFormat
{
    public string Name => "rootfs.zst";

    public string Extension => ".rootfs.tar.zst";

    public string MediaType => "application/zstd";

    public string? QemuDriver => null;

    public string RecipeOf(BuildSpec spec, FormatServices services) => $"rootfs {RootfsFormat.Version} zstd 1";

    // The archive lies beside it, uncompressed, while it is written.
    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Raw) { Libraries = [HostLibrary.Zstd], TakesAppliance = true };

    public ImageSign SignIn(ImageSample file) => file.Has(0, [0x28, 0xb5, 0x2f, 0xfd]) && file.IsCompressedTarOf(RootArchive.FirstMember) ? ImageSign.CompressedMember : ImageSign.None;

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) => throw NoDisk(image);

    public Task<ArchiveContents?> ReadContentsAsync(string image, CancellationToken cancellation) => RootArchive.ReadContentsAsync(image, file => new ZstdFrames(file, image), cancellation);

    public Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation) => RootArchive.WriteAsync(request, PieceCompressor.Zstd, hasTable: true, cancellation);

    /// <summary>The error of whoever looks for a disk in an archive.</summary>
    internal static CrustException NoDisk(string image) =>
        new(FailureKind.BadInput, "There is no disk in the archive, but a root file system", image, "name it in base.rootfs to build a disk of it, or give an image of a disk");
}
