using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Crust.Oci;
using Crust.Spec;

namespace Crust.Tests.Registries;

/// <summary>OCI image layouts of layers that are there as files.</summary>
internal static class OciSample
{
    /// <summary>Writes a layout with one index over images; gives its folder.</summary>
    /// <param name="images">Each image's architecture and its layers' files, whose names say how they are compressed: `.tar`, `.gz` or `.zst`.</param>
    public static string Write(string folder, params (Arch Arch, string[] Layers)[] images)
    {
        var blobs = Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256")).FullName;
        var index = OciManifest.Index(images.Select(image => Image(blobs, image.Arch, image.Layers)));
        File.WriteAllBytes(Path.Combine(folder, "index.json"), OciManifest.Index([Add(blobs, OciManifest.IndexType, index)]).Json);
        File.WriteAllBytes(Path.Combine(folder, "oci-layout"), OciManifest.Layout.Json);
        return folder;
    }

    private static OciDescriptor Image(string blobs, Arch arch, string[] layers)
    {
        // What the layers are once they are unpacked is nothing that a registry asks for.
        var config = OciDocument.Of(new JsonObject
        {
            ["architecture"] = arch.LowerName(),
            ["os"] = "linux",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray([.. layers.Select(layer => JsonValue.Create(OciDescriptor.DigestOf(Sum(layer))))]) },
        });
        var manifest = OciManifest.Of(Add(blobs, OciManifest.ConfigType, config), layers.Select(layer => Layer(blobs, layer)), ImmutableSortedDictionary<string, string>.Empty);
        return Add(blobs, OciManifest.ManifestType, manifest).For(arch);
    }

    private static OciDescriptor Layer(string blobs, string file)
    {
        var sum = Sum(file);
        File.Copy(file, Path.Combine(blobs, sum), overwrite: true);
        var compression = Path.GetExtension(file) switch { ".gz" => "+gzip", ".zst" => "+zstd", _ => "" };
        return new(OciManifest.LayerType + compression, OciDescriptor.DigestOf(sum), new FileInfo(file).Length);
    }

    private static OciDescriptor Add(string blobs, string type, OciDocument document)
    {
        File.WriteAllBytes(Path.Combine(blobs, document.Sha256), document.Json);
        return OciDescriptor.Of(type, document);
    }

    private static string Sum(string file)
    {
        using var stream = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }
}
