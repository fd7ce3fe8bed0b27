using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Sanitizing;
using Crust.Storage;

namespace Crust.Content;

/// <summary>What is in a bundle, and by which digests: `NAME.content.json` beside its parts. The same bundle gives the same bytes.</summary>
internal sealed record ContentManifest
{
    public const string Extension = ".content.json";

    private const int CurrentVersion = 1;

    // A PiB: sums of these don't overflow, as long as there are fewer than some thousand.
    private const long Largest = 1L << 50;

    /// <summary>The version of this document's shape.</summary>
    public int Version { get; init; } = CurrentVersion;

    public required string Name { get; init; }

    /// <summary>A SHA-256 over all that decides the bundle's bytes.</summary>
    public required string Key { get; init; }

    /// <summary>How long the parts are together, in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>How long the archive is that comes of them, in bytes.</summary>
    public required long Unpacked { get; init; }

    /// <summary>The SHA-256 of the parts joined, in hex.</summary>
    public required string Sha256 { get; init; }

    /// <summary>The parts, in their order.</summary>
    public required ImmutableArray<ContentPart> Parts { get; init; }

    public required ImmutableArray<PackedImage> Images { get; init; }

    public required ImmutableArray<PackedFile> Files { get; init; }

    /// <summary>The document as indented JSON with a final newline.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ContentManifestJson.Readable) + "\n";

    /// <exception cref="InvalidDataException">It is no manifest of a bundle, or names what no bundle has.</exception>
    public static ContentManifest Parse(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, ContentManifestJson.Readable) is { Version: CurrentVersion } manifest && manifest.IsSound() ? manifest
                : throw new InvalidDataException("it isn't the manifest of a bundle, version 1");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"it isn't the manifest of a bundle: {CleanText.Line(e.Message)}", e);
        }
    }

    // Lists of JSON may have nulls in them, whatever their type says.
    private bool IsSound() => !Parts.IsDefaultOrEmpty && !Images.IsDefault && !Files.IsDefault && !Name.Contains('/') && Checksum.IsSha256(Sha256) && Unpacked is >= 0 and <= Largest
        && Parts.All(part => part is { Size: >= 0 and <= Largest } && Checksum.IsSha256(part.Sha256) && PartNames.IsOf(Name, part.File)) && Parts.DistinctBy(part => part.File).Count() == Parts.Length
        && Size <= Largest && Size == Parts.Sum(part => part.Size) && Images.All(image => image is not null) && Files.All(file => file is not null);
}

/// <summary>A file of a bundle.</summary>
/// <param name="File">Its name beside the manifest.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
internal sealed record ContentPart(string File, long Size, string Sha256);

/// <summary>A container image in a bundle.</summary>
/// <param name="Names">What it is called in the bundle's index.</param>
/// <param name="Source">Where it came from.</param>
/// <param name="Digest">The digest that its name stands for: of the index over architectures, if it is one.</param>
/// <param name="Platforms">What of it is in the bundle.</param>
internal sealed record PackedImage(ImmutableArray<string> Names, string Source, string MediaType, string Digest, ImmutableArray<PackedPlatform> Platforms);

/// <summary>An image for an architecture.</summary>
/// <param name="Digest">Of its manifest.</param>
/// <param name="Size">The length of its config and layers together, in bytes.</param>
/// <param name="Blobs">The digests of its config and its layers, in this order.</param>
internal sealed record PackedPlatform(string Arch, string Digest, long Size, ImmutableArray<string> Blobs);

/// <summary>A file in a bundle.</summary>
/// <param name="Path">Its path in the archive.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
internal sealed record PackedFile(string Path, long Size, string Sha256);

[JsonSourceGenerationOptions(WriteIndented = true, RespectNullableAnnotations = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ContentManifest))]
internal sealed partial class ContentManifestJson : JsonSerializerContext
{
    public static JsonTypeInfo<ContentManifest> Readable { get; } = new ContentManifestJson(ReadableJson.CleanOptions()).ContentManifest;
}
