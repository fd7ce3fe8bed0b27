using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crust.Oci;

/// <summary>The documents that images and artifacts consist of (OCI Image Format Specification 1.1). Nothing in them tells when they were written.</summary>
internal static class OciManifest
{
    public const string ManifestType = $"{Vendor}.manifest.v1+json";

    public const string IndexType = $"{Vendor}.index.v1+json";

    /// <summary>The media type of what an image runs on.</summary>
    public const string ConfigType = $"{Vendor}.config.v1+json";

    /// <summary>The media type of a layer that isn't compressed.</summary>
    public const string LayerType = $"{Vendor}.layer.v1.tar";

    /// <summary>The annotation with a name for people; on a layer, that of its file.</summary>
    public const string Title = "org.opencontainers.image.title";

    /// <summary>The annotation with the name of an image in a layout.</summary>
    public const string RefName = "org.opencontainers.image.ref.name";

    private const string Vendor = "application/vnd.oci.image";

    /// <summary>Says that a folder is an OCI image layout, and of which version.</summary>
    public static OciDocument Layout { get; } = OciDocument.Of(new JsonObject { ["imageLayoutVersion"] = "1.0.0" });

    /// <summary>What stands where an artifact has no config ("Guidance for an Empty Descriptor").</summary>
    public static OciDocument Empty { get; } = OciDocument.Of([]);

    public static OciDescriptor EmptyConfig { get; } = OciDescriptor.Of("application/vnd.oci.empty.v1+json", Empty);

    /// <param name="artifactType">What it is, if it isn't an image.</param>
    /// <param name="subject">What it is attached to; null for nothing.</param>
    public static OciDocument Of(OciDescriptor config, IEnumerable<OciDescriptor> layers, ImmutableSortedDictionary<string, string> annotations, string? artifactType = null,
        OciDescriptor? subject = null)
    {
        var json = new JsonObject { ["schemaVersion"] = 2, ["mediaType"] = ManifestType };
        if (artifactType is not null)
        {
            json["artifactType"] = artifactType;
        }

        json["config"] = config.ToJson();
        json["layers"] = new JsonArray([.. layers.Select(layer => layer.ToJson())]);
        if (subject is not null)
        {
            json["subject"] = new OciDescriptor(subject.MediaType, subject.Digest, subject.Size).ToJson();
        }

        json["annotations"] = Texts(annotations);
        return OciDocument.Of(json);
    }

    public static OciDocument Index(IEnumerable<OciDescriptor> manifests, ImmutableSortedDictionary<string, string>? annotations = null)
    {
        var json = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = IndexType,
            ["manifests"] = new JsonArray([.. manifests.Select(manifest => manifest.ToJson())]),
        };
        if (annotations is not null)
        {
            json["annotations"] = Texts(annotations);
        }

        return OciDocument.Of(json);
    }

    /// <summary>The annotations of a manifest, an index or a descriptor.</summary>
    public static ImmutableSortedDictionary<string, string> AnnotationsOf(JsonElement json) =>
        json.TryGetProperty("annotations", out var annotations) && annotations.ValueKind is JsonValueKind.Object
            ? annotations.EnumerateObject().Where(pair => pair.Value.ValueKind is JsonValueKind.String)
                .ToImmutableSortedDictionary(pair => pair.Name, pair => pair.Value.GetString()!, StringComparer.Ordinal)
            : ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The one layer of an image or an artifact; null if it has none or several.</summary>
    public static OciDescriptor? OnlyLayerOf(byte[] manifest)
    {
        try
        {
            using var json = JsonDocument.Parse(manifest);
            return json.RootElement.GetProperty("layers").EnumerateArray().Select(OciDescriptor.Read).ToList() is [{ IsSha256: true } layer] ? layer : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

    public static JsonObject Texts(IEnumerable<KeyValuePair<string, string>> texts) => new(texts.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));

    /// <summary>The platform of guests of an architecture; all of them are Linux.</summary>
    public static JsonObject Platform(string architecture) => new() { ["architecture"] = architecture, ["os"] = "linux" };
}
