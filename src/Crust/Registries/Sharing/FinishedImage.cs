using System.Collections.Immutable;
using System.Text.Json;
using Crust.Disks;
using Crust.Formats;
using Crust.Oci;
using Crust.Reports;
using Crust.Spec;

namespace Crust.Registries.Sharing;

/// <summary>A finished image of a build in a registry.</summary>
/// <param name="Arch">The architecture that its guest is for.</param>
/// <param name="From">Its name and digest.</param>
/// <param name="Told">The manifest that is attached to it.</param>
/// <param name="Sbom">The name and digest of the attached list of packages; null if there is none.</param>
internal sealed record FinishedImage(IImageFormat Format, Arch Arch, RegistryReference From, SharedCache Cache, ManifestImage Image, Manifest Told, RegistryReference? Sbom)
{
    /// <summary>What is known of the disk that images are of, if they are all that is wanted, of one disk, and tell of it what the build would.</summary>
    public static DiskFacts? DiskOf(IReadOnlyCollection<FinishedImage> images, IReadOnlyCollection<IImageFormat> wanted, SharedBuild build, string runFolder)
    {
        if (images.Count == 0 || images.Count != wanted.Count || images.Select(image => image.Image.DiskContent).Distinct().Count() > 1)
        {
            return null;
        }

        var told = images.First().Told;
        return build.Spec.Inspect && told.Install.Inspection is null || told.Sbom is not null && images.First().Sbom is null ? null
            : new DiskFacts(told.DiskContent, told.Install, FromCache: true, runFolder, null);
    }

    /// <summary>Checks what a registry has against what is attached to it and what is wanted.</summary>
    /// <param name="artifact">The image's manifest, as the registry has it.</param>
    /// <param name="told">The attached manifest; null if there is none that can be read.</param>
    /// <param name="recipe">What decides it beside the disk.</param>
    /// <returns>What is known of the image; null if it is one of another name.</returns>
    /// <exception cref="InvalidDataException">It isn't what its tag says.</exception>
    public static ManifestImage? Check(OciDocument artifact, Manifest? told, IImageFormat format, string recipe, SharedBuild build)
    {
        if (told is null)
        {
            throw new InvalidDataException($"{artifact.Digest} has no manifest of Crust's attached");
        }

        // Names are in some images; the tag doesn't tell.
        if (told.Name != build.Name)
        {
            return null;
        }

        var image = told.Images.FirstOrDefault(image =>
            image.Format == format.Name && image.BuildKey == build.Key && image.Recipe == recipe && image.DiskContent == told.DiskContent && told.BuildKey == build.Key);
        if (image is not { Sha256: not null } || image.File != build.Name + format.Extension)
        {
            throw new InvalidDataException($"the manifest that is attached to {artifact.Digest} lists no {format.Name} of this build");
        }

        // An OCI image's layers are those of the image, not the file.
        if (format.Registry.Archive is null)
        {
            CheckLayers(artifact, image);
        }

        return image;
    }

    private static void CheckLayers(OciDocument artifact, ManifestImage image)
    {
        try
        {
            using var json = JsonDocument.Parse(artifact.Json);
            var key = OciManifest.AnnotationsOf(json.RootElement).GetValueOrDefault(Artifact.BuildKey);
            if (key != image.BuildKey)
            {
                throw new InvalidDataException($"{artifact.Digest} is an image of another build ({key ?? "without a build key"})");
            }

            var has = json.RootElement.GetProperty("layers").EnumerateArray().Select(OciDescriptor.Read).Select(layer => (layer.Digest, layer.Size));
            ImmutableArray<(string, long)> should = [(OciDescriptor.DigestOf(image.Sha256!), image.Size), .. image.BlockMap is { } map ? new[] { (OciDescriptor.DigestOf(map.Sha256), map.Size) } : []];
            if (!has.SequenceEqual(should))
            {
                throw new InvalidDataException($"{artifact.Digest} holds other files than the manifest that is attached to it says");
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new InvalidDataException($"{artifact.Digest} isn't an image of Crust's: {e.Message}", e);
        }
    }
}
