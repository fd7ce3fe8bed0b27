using System.Text.Json;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Oci;

/// <summary>Indexes of images (OCI Image Format Specification 1.1, "OCI Image Index Specification"), Docker's lists of manifests among them.</summary>
internal static class OciIndex
{
    private const string Linux = "linux";

    /// <summary>Whether a document names others, and isn't an image itself.</summary>
    public static bool Is(JsonElement document) => document.ValueKind is JsonValueKind.Object && document.TryGetProperty("manifests", out _);

    /// <summary>The manifest of the image for guests of an architecture; of an image that says nothing of its platform, where it is the only one.</summary>
    /// <exception cref="InvalidDataException">There is none, or several.</exception>
    /// <exception cref="JsonException">It is no index.</exception>
    public static OciDescriptor Choose(JsonElement index, Arch arch)
    {
        var all = index.GetProperty("manifests").EnumerateArray().Select(OciDescriptor.Read).DistinctBy(manifest => manifest.Digest).ToList();
        var fitting = all.Where(manifest => manifest.Architecture == arch.LowerName() && manifest.Os == Linux).ToList();
        fitting = fitting.Count > 0 ? fitting : [.. all.Where(manifest => manifest.Architecture is null)];
        return fitting switch
        {
            [var one] => one,
            [] when all.Count == 0 => throw new InvalidDataException("it has no image"),
            [] => throw new InvalidDataException($"none of its {all.Count} images is for {arch.LowerName()}, but for {CleanText.Line(string.Join(", ", all.Select(manifest => manifest.Architecture)), 100)}"),
            _ => throw new InvalidDataException($"{fitting.Count} of its images may be for {arch.LowerName()}"),
        };
    }
}
