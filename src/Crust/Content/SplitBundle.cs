using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Crust.Content;

/// <summary>A part of a content bundle.</summary>
/// <param name="Name">Its name: `NAME_part00`.</param>
/// <param name="Offset">Where it begins in the bundle, in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
internal sealed record BundlePart(string Name, long Offset, long Size, string Sha256);

/// <summary>A content bundle: one file with container images or other content, in parts.</summary>
/// <param name="Name">Its name once it is joined.</param>
/// <param name="Sha256">The SHA-256 of all of it in hex.</param>
internal sealed record SplitBundle(string Name, long Size, string Sha256, ImmutableArray<BundlePart> Parts)
{
    /// <summary>How long it is once it is unpacked, in bytes; null where that isn't known.</summary>
    [JsonIgnore]
    public long? Unpacked { get; init; }

    /// <summary>The same of a bundle that Crust has packed.</summary>
    public static SplitBundle Of(ContentManifest manifest)
    {
        var parts = ImmutableArray.CreateBuilder<BundlePart>();
        var offset = 0L;
        foreach (var part in manifest.Parts)
        {
            parts.Add(new BundlePart(part.File, offset, part.Size, part.Sha256));
            offset += part.Size;
        }

        return new SplitBundle(PartNames.Whole(manifest.Name), manifest.Size, manifest.Sha256, parts.ToImmutable()) { Unpacked = manifest.Unpacked };
    }
}

[JsonSerializable(typeof(SplitBundle))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
internal sealed partial class SplitBundleJson : JsonSerializerContext;
