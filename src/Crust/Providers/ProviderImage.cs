using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Bases;
using Crust.Oci;

namespace Crust.Providers;

/// <summary>The documents of an image that is another one with more layers. Nothing in them tells when they were written.</summary>
internal static class ProviderImage
{
    public const string VersionNote = "org.opencontainers.image.version";

    /// <summary>The annotation with the Kubernetes version of an image.</summary>
    public const string KubernetesNote = "vnd.crust.kubernetes";

    /// <summary>The config of the base with more layers: what it runs with stays.</summary>
    /// <exception cref="InvalidDataException">The base's config doesn't go with its layers.</exception>
    public static OciDocument ConfigOf(OciImageParts below, ImmutableArray<LayerBlob> layers)
    {
        var config = JsonObject.Create(below.Config)!;
        if (config["rootfs"] is not JsonObject rootfs || rootfs["diff_ids"] is not JsonArray ids || ids.Count != below.Layers.Length)
        {
            throw new InvalidDataException("its config names another number of layers than its manifest");
        }

        var history = config["history"] as JsonArray;
        if (history is null)
        {
            config["history"] = history = new JsonArray([.. below.Layers.Select(_ => (JsonNode)new JsonObject { ["created_by"] = "base" })]);
        }

        foreach (var layer in layers)
        {
            ids.Add((JsonNode)layer.DiffId);
            history.Add((JsonNode)new JsonObject { ["created_by"] = $"crust provider: {layer.Shown}" });
        }

        return OciDocument.Of(config);
    }

    /// <summary>The manifest.</summary>
    /// <param name="name">What the image is called, by which a later build knows its own.</param>
    public static OciDocument ManifestOf(OciDocument config, OciImageParts below, ImmutableArray<LayerBlob> layers, string name, string kubernetes) => OciManifest.Of(
        OciDescriptor.Of(OciManifest.ConfigType, config),
        [.. below.Layers.Select(layer => layer.Descriptor), .. layers.Select(layer => layer.Descriptor)],
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal).Add(OciManifest.Title, name).Add(VersionNote, name).Add(KubernetesNote, kubernetes));

    /// <summary>A base's document in which something is wrong that only shows when more is put over it.</summary>
    public static CrustException Unusable(string shown, Exception e) => new(FailureKind.BadInput, $"The base can't be given more layers: {e.Message}", shown,
        "give an OCI image as skopeo copy docker://REGISTRY/NAME:TAG oci-archive:FILE writes it", e);
}
