using System.IO.Compression;
using Crust.Formats.Headers;
using Crust.Formats.Rootfs;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>
/// The root file system of the disk as a tar archive (IEEE 1003.1, pax), compressed with gzip: owners by number, extended attributes and ACLs, and all that the system mounts from
/// the disk below its root, boot partitions too. For NFS roots, chroots, containers, and as <c>base.rootfs</c> of another build.
/// </summary>
internal sealed class RootfsFormat : IImageFormat
{
    /// <summary>Raise it when a change of Crust makes another archive of the same disk.</summary>
    internal const int Version = 1;

    public string Name => "rootfs";

    public string Extension => ".rootfs.tar.gz";

    public string MediaType => "application/gzip";

    public string? QemuDriver => null;

    public string RecipeOf(BuildSpec spec, FormatServices services) => $"rootfs {Version}";

    // The archive lies beside it, uncompressed, while it is written.
    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Raw) { Libraries = [HostLibrary.Deflate], TakesAppliance = true };

    public ImageSign SignIn(ImageSample file) => file.Has(0, [0x1f, 0x8b]) && file.IsCompressedTarOf(RootArchive.FirstMember) ? ImageSign.CompressedMember : ImageSign.None;

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) => throw RootfsZstFormat.NoDisk(image);

    public Task<ArchiveContents?> ReadContentsAsync(string image, CancellationToken cancellation) =>
        RootArchive.ReadContentsAsync(image, file => new GZipStream(file, CompressionMode.Decompress), cancellation);

    public Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation) => RootArchive.WriteAsync(request, PieceCompressor.Gzip, hasTable: false, cancellation);
}
