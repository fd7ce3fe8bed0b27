using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Crust.Reports;

namespace Crust.Registries;

/// <summary>A file that is attached to an image in a registry.</summary>
/// <param name="Digest">The digest of its manifest.</param>
internal sealed record AttachedFile(string File, string ArtifactType, string Digest);

/// <param name="Digest">The digest of its manifest.</param>
/// <param name="IndexDigest">The digest of the index over the architectures.</param>
/// <param name="KeyTag">The tag that is made of all that decides it.</param>
internal sealed record PublishedImage(ManifestImage Image, PublishTarget Target, string Digest, string IndexDigest, string KeyTag)
{
    /// <summary>Whether it was pushed just now; else it was there.</summary>
    public required bool Pushed { get; init; }

    /// <summary>The digest that its tag named before; null if none, or the same.</summary>
    public required string? Replaced { get; init; }

    public required ImmutableArray<AttachedFile> Attached { get; init; }

    /// <summary>Its name and digest, by which it is always the same image.</summary>
    public string Reference => $"{Target.Image}@{Digest}";

    internal JsonObject ToJson() => new()
    {
        ["format"] = Image.Format,
        ["file"] = Image.File,
        ["reference"] = Target.Image.ToString(),
        ["digest"] = Digest,
        ["index"] = new JsonObject { ["reference"] = Target.Index.ToString(), ["digest"] = IndexDigest },
        ["key"] = Target.Image.With(KeyTag).ToString(),
        ["pushed"] = Pushed,
        ["replaced"] = Replaced,
        ["attached"] = new JsonArray([.. Attached.Select(file => new JsonObject { ["file"] = file.File, ["artifactType"] = file.ArtifactType, ["digest"] = file.Digest })]),
    };
}

/// <param name="Images">The images, in the order in which they were asked for.</param>
internal sealed record PublishedImages(Manifest Manifest, ImmutableArray<PublishedImage> Images)
{
    /// <summary>One JSON document with a final newline.</summary>
    public string ToJson() => new JsonObject
    {
        ["version"] = 1,
        ["name"] = Manifest.Name,
        ["arch"] = Manifest.Machine.Arch,
        ["buildKey"] = Manifest.BuildKey,
        ["images"] = new JsonArray([.. Images.Select(image => image.ToJson())]),
    }.ToJsonString(new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }) + "\n";
}
