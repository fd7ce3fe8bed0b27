using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Spec;

namespace Crust.Oci;

/// <summary>Names a blob or a manifest: what it is, its digest and its length (OCI Image Format Specification 1.1, "Content Descriptors").</summary>
/// <param name="Digest">Its digest: `sha256:` and 64 hex digits.</param>
/// <param name="Size">Its length in bytes.</param>
internal sealed record OciDescriptor(string MediaType, string Digest, long Size)
{
    private const string Sha256Prefix = "sha256:";

    /// <summary>For an artifact's manifest, what the artifact is; null for others.</summary>
    public string? ArtifactType { get; init; }

    public ImmutableSortedDictionary<string, string> Annotations { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);

    /// <summary>The architecture that it is for; null where it isn't said.</summary>
    public string? Architecture { get; init; }

    /// <summary>The operating system that it is for; null where it isn't said.</summary>
    public string? Os { get; init; }

    public static OciDescriptor Of(string mediaType, OciDocument document) => new(mediaType, document.Digest, document.Json.Length);

    /// <summary>The digest that a SHA-256 in hex is.</summary>
    public static string DigestOf(string sha256) => Sha256Prefix + sha256;

    /// <summary>Its SHA-256 in hex: its name in a layout.</summary>
    public string Sha256 => Digest[Sha256Prefix.Length..];

    /// <summary>Whether its digest is a SHA-256, as all of Crust's are.</summary>
    public bool IsSha256 => Digest.Length == Sha256Prefix.Length + 64 && Digest.StartsWith(Sha256Prefix, StringComparison.Ordinal) && Sha256.All(char.IsAsciiHexDigitLower);

    /// <summary>With the platform of guests of an architecture.</summary>
    public OciDescriptor For(Arch arch) => this with { Architecture = arch.LowerName() };

    /// <summary>Its JSON, in the order in which skopeo writes it.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["mediaType"] = MediaType, ["digest"] = Digest, ["size"] = Size };
        if (!Annotations.IsEmpty)
        {
            json["annotations"] = OciManifest.Texts(Annotations);
        }

        if (Architecture is not null)
        {
            json["platform"] = OciManifest.Platform(Architecture);
        }

        if (ArtifactType is not null)
        {
            json["artifactType"] = ArtifactType;
        }

        return json;
    }

    /// <summary>A descriptor from a document that somebody else has made.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static OciDescriptor Read(JsonElement json)
    {
        try
        {
            var platform = json.TryGetProperty("platform", out var given) ? given : default;
            string? Platform(string name) => platform.ValueKind is JsonValueKind.Object && platform.TryGetProperty(name, out var value) ? value.GetString() : null;
            return new OciDescriptor(Text("mediaType"), Text("digest"), json.GetProperty("size").GetInt64())
            {
                ArtifactType = json.TryGetProperty("artifactType", out var type) ? type.GetString() : null,
                Annotations = OciManifest.AnnotationsOf(json),
                Architecture = Platform("architecture"),
                Os = Platform("os"),
            };
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new JsonException($"a descriptor isn't complete: {e.Message}", e);
        }

        string Text(string name) => json.GetProperty(name).GetString() ?? throw new JsonException($"a descriptor's {name} is null");
    }
}
