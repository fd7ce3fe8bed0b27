using System.Collections.Immutable;
using System.Text.Json;
using Crust.Oci;
using Crust.Registries;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Content;

/// <summary>Asks registries what images consist of. Only their documents are fetched, so that all that is wrong with them is told before anything large is pulled.</summary>
/// <param name="registryOf">The registry of a host's name.</param>
internal sealed class ImageResolver(Func<string, Registry> registryOf)
{
    private const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

    // OCI runtimes stop at some hundred.
    private const int MostLayers = 500;

    /// <exception cref="CrustException">The registry doesn't tell, has other bytes than the digest says, or no image for an architecture.</exception>
    public async Task<ResolvedImage> ResolveAsync(ContentImage image, RegistryReference source, CancellationToken cancellation)
    {
        try
        {
            var registry = registryOf(source.Registry);
            var document = await ReadAsync(registry, source, cancellation);
            using var json = JsonDocument.Parse(document.Json);
            var isIndex = OciIndex.Is(json.RootElement);
            var target = OciDescriptor.Of(TypeOf(json.RootElement, isIndex ? OciManifest.IndexType : OciManifest.ManifestType), document);
            return isIndex ? await OfIndexAsync(registry, image, source, target, document, json.RootElement, cancellation)
                : await OfManifestAsync(registry, image, source, target, document, cancellation);
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or InvalidOperationException or KeyNotFoundException)
        {
            throw new CrustException(FailureKind.BadInput,
                $"The registry {source.Registry} has no image there that can be used: {(e is InvalidDataException ? e.Message : "its documents aren't those of an OCI or Docker image")}",
                $"{image.Where}: {source}", "name another image, or with archs: the architectures that it is for", e);
        }
        catch (RegistryException e)
        {
            throw ContentFaults.At(e, image.Where);
        }
    }

    private static async Task<ResolvedImage> OfIndexAsync(
        Registry registry, ContentImage image, RegistryReference source, OciDescriptor target, OciDocument document, JsonElement index, CancellationToken cancellation)
    {
        var documents = ImmutableArray.CreateBuilder<OciDocument>();
        documents.Add(document);
        var platforms = ImmutableArray.CreateBuilder<ResolvedPlatform>();
        foreach (var arch in image.Archs)
        {
            var chosen = OciIndex.Choose(index, arch);
            if (!chosen.IsSha256)
            {
                throw new InvalidDataException("its index names an image by something that is no SHA-256 digest");
            }

            var from = source.With(chosen.Digest);
            var manifest = await ReadAsync(registry, from, cancellation);
            var (of, layers) = BlobsOf(manifest);
            var config = await ReadConfigAsync(registry, from, of, cancellation);
            documents.AddRange(manifest, config);
            platforms.Add(new ResolvedPlatform(arch, chosen, of, layers));
        }

        return new ResolvedImage(image, source, target, documents.ToImmutable(), platforms.ToImmutable());
    }

    // A single manifest doesn't say what it is for; its config does.
    private static async Task<ResolvedImage> OfManifestAsync(
        Registry registry, ContentImage image, RegistryReference source, OciDescriptor target, OciDocument document, CancellationToken cancellation)
    {
        var (of, layers) = BlobsOf(document);
        var config = await ReadConfigAsync(registry, source.With(target.Digest), of, cancellation);
        using var json = JsonDocument.Parse(config.Json);
        var architecture = json.RootElement.TryGetProperty("architecture", out var given) ? given.GetString() ?? "" : "";
        return image.Archs is [var arch] && arch.LowerName() == architecture
            ? new ResolvedImage(image, source, target, [document, config], [new ResolvedPlatform(arch, target, of, layers)])
            : throw new InvalidDataException($"it is for {CleanText.Line(architecture, 40)} alone, and {string.Join(" and ", image.Archs.Select(one => one.LowerName()))} "
                + $"{(image.Archs.Length == 1 ? "is" : "are")} wanted");
    }

    private static async Task<OciDocument> ReadAsync(Registry registry, RegistryReference from, CancellationToken cancellation)
    {
        var document = await registry.ReadAsync(from, cancellation)
            ?? throw new RegistryException(RegistryFault.Missing, $"The registry {from.Registry} doesn't have {from}", from.ToString(),
                "check the name, and that the image was pushed");
        return from.Sha256 is null || from.Sha256 == document.Sha256 ? document
            : throw new RegistryException(RegistryFault.Altered, $"The registry {from.Registry} gives other bytes than their digest says", from.ToString(),
                "don't use what is there: delete it, and push it again");
    }

    // It is read here, as it is in the registry, and isn't pulled with the layers: skopeo writes that of an image in Docker's form anew when it puts the image into a layout.
    private static async Task<OciDocument> ReadConfigAsync(Registry registry, RegistryReference from, OciDescriptor config, CancellationToken cancellation)
    {
        var document = await registry.ReadConfigAsync(from, cancellation) ?? throw new InvalidDataException("it has no config");
        return document.Digest == config.Digest ? document : throw new InvalidDataException("its config isn't what its digest says");
    }

    private static (OciDescriptor Config, ImmutableArray<OciDescriptor> Layers) BlobsOf(OciDocument manifest)
    {
        using var json = JsonDocument.Parse(manifest.Json);
        if (TypeOf(json.RootElement, OciManifest.ManifestType) is not (OciManifest.ManifestType or DockerManifest))
        {
            throw new InvalidDataException($"it is {CleanText.Line(TypeOf(json.RootElement, ""), 100)}, which no container runtime of today takes from a bundle");
        }

        var config = OciDescriptor.Read(json.RootElement.GetProperty("config"));
        ImmutableArray<OciDescriptor> layers = [.. json.RootElement.GetProperty("layers").EnumerateArray().Select(OciDescriptor.Read)];
        return layers.Length > MostLayers ? throw new InvalidDataException($"it has {layers.Length} layers")
            : layers.Append(config).Any(blob => !blob.IsSha256 || blob.Size < 0) ? throw new InvalidDataException("it names a blob by something that is no SHA-256 digest")
            : (config, layers);
    }

    // Docker's old manifests, of 2015, have a version of 1 and no type.
    private static string TypeOf(JsonElement document, string otherwise) =>
        document.TryGetProperty("mediaType", out var type) && type.ValueKind is JsonValueKind.String ? type.GetString()!
        : document.TryGetProperty("schemaVersion", out var version) && version.ValueKind is JsonValueKind.Number && version.GetInt32() == 1 ? "an image in Docker's old form (schema 1)"
        : otherwise;
}
