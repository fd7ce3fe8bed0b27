using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Crust.Disks;
using Crust.Formats;
using Crust.Images;
using Crust.Oci;
using Crust.Reports;

namespace Crust.Registries;

/// <summary>Something that can be pushed: a manifest, and where skopeo finds it with its blobs.</summary>
/// <param name="Source">What skopeo calls it.</param>
/// <param name="Length">About how many bytes skopeo moves to push all of it.</param>
internal sealed record Artifact(OciDocument Manifest, OciDescriptor Descriptor, string Source, long Length)
{
    /// <summary>What an image is called that is no OCI image itself.</summary>
    public const string ImageType = "application/vnd.crust.image.v1";

    public const string BuildKey = "vnd.crust.build-key";

    /// <summary>The annotation with what the installed disk holds.</summary>
    public const string DiskContent = "vnd.crust.disk-content";

    public const string Arch = "vnd.crust.arch";

    /// <summary>The annotation with the digest of what the disk was made from.</summary>
    /// <param name="kind">`installer` or `base`.</param>
    public static string OriginOf(string kind) => $"vnd.crust.{kind}";

    private const string BlockMapType = "application/vnd.crust.bmap+xml";

    private static readonly ImmutableSortedDictionary<string, string> Nothing = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>An image of the images folder. An OCI image stays the image that it is.</summary>
    /// <exception cref="CrustException">The image isn't what its manifest says.</exception>
    public static async Task<Artifact> OfAsync(ManifestImage image, Manifest manifest, ImagesFolder shelf, string scratch, CancellationToken cancellation)
    {
        var format = ImageFormats.Named(image.Format);
        var path = shelf.ImagePath(image);
        if (format.Registry.Archive is { } archive)
        {
            var document = archive.ReadManifest(path);
            // A ':' in the path would end it for skopeo.
            var link = $"archive-{document.Sha256[..12]}.tar";
            File.CreateSymbolicLink(Path.Combine(scratch, link), Path.GetFullPath(path));
            // skopeo unpacks the archive first.
            return new Artifact(document, OciDescriptor.Of(OciManifest.ManifestType, document), $"oci-archive:{link}", 2 * image.Size);
        }

        var layout = OciLayout.Create(scratch);
        var disk = FileLayer(format.MediaType, image.File, image.Sha256 ?? await SparseHash.ComputeAsync(path, cancellation), image.Size);
        layout.Add(disk, path);
        var layers = ImmutableArray.Create(disk);
        if (image.BlockMap is { } map)
        {
            var layer = FileLayer(BlockMapType, map.File, map.Sha256, map.Size);
            layout.Add(layer, shelf.ImagePath(map.File));
            layers = layers.Add(layer);
        }

        return Of(layout, ImageType, layers, Describe(image, manifest), null);
    }

    /// <summary>A file that is attached to an image.</summary>
    /// <param name="mediaType">The file's own media type.</param>
    public static Artifact Attached(string type, string mediaType, string file, byte[] content, OciDescriptor subject, string scratch)
    {
        var document = new OciDocument(content);
        var layout = OciLayout.Create(scratch);
        layout.Add(document);
        var layer = FileLayer(mediaType, file, document.Sha256, content.Length);
        return Of(layout, type, [layer], layer.Annotations, subject);
    }

    /// <summary>The descriptor of a manifest that is in a registry.</summary>
    public static OciDescriptor DescriptorOf(OciDocument manifest)
    {
        var descriptor = OciDescriptor.Of(OciManifest.ManifestType, manifest);
        try
        {
            using var json = JsonDocument.Parse(manifest.Json);
            return descriptor with { ArtifactType = json.RootElement.TryGetProperty("artifactType", out var type) ? type.GetString() : null };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Somebody else's, and no manifest.
            return descriptor;
        }
    }

    /// <summary>An artifact of layers that are in a layout.</summary>
    public static Artifact Of(OciLayout layout, string type, ImmutableArray<OciDescriptor> layers, ImmutableSortedDictionary<string, string> annotations, OciDescriptor? subject)
    {
        var manifest = OciManifest.Of(OciManifest.EmptyConfig, layers, annotations, type, subject);
        layout.Add(OciManifest.Empty);
        layout.Add(manifest);
        var descriptor = OciDescriptor.Of(OciManifest.ManifestType, manifest) with { ArtifactType = type, Annotations = subject is null ? Nothing : annotations };
        return new Artifact(manifest, descriptor, layout.Name(descriptor), layers.Sum(layer => layer.Size));
    }

    public static OciDescriptor FileLayer(string mediaType, string file, string sha256, long size) =>
        new(mediaType, OciDescriptor.DigestOf(sha256), size) { Annotations = Nothing.Add(OciManifest.Title, file) };

    // Only what is the same whenever and wherever it is published: the same image has the same digest.
    private static ImmutableSortedDictionary<string, string> Describe(ManifestImage image, Manifest manifest)
    {
        var said = Nothing
            .Add(OciManifest.Title, manifest.Name)
            .Add(Arch, manifest.Machine.Arch)
            .Add(BuildKey, image.BuildKey)
            .Add("vnd.crust.format", image.Format)
            .Add(OriginOf(manifest.Origin.Kind), OciDescriptor.DigestOf(manifest.Origin.Sha256));
        // An image of an earlier disk with the same key may still be there: the rest is of the latest.
        if (image.DiskContent.Length > 0 && image.DiskContent != manifest.DiskContent)
        {
            return said.Add(DiskContent, image.DiskContent);
        }

        return With(said.Add(DiskContent, manifest.DiskContent), manifest.Install);
    }

    /// <summary>Annotations with those of a disk's install.</summary>
    public static ImmutableSortedDictionary<string, string> With(ImmutableSortedDictionary<string, string> said, InstallFacts install)
    {
        said = said.Add("org.opencontainers.image.created", install.Finished.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture));
        return install.Inspection?.Systems is [{ Version.Length: > 0 } system] ? said.Add("org.opencontainers.image.version", system.Version) : said;
    }
}
