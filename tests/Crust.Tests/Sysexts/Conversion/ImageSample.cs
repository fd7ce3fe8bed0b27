using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Trees;

namespace Crust.Tests.Sysexts.Conversion;

/// <summary>OCI layouts with an image for amd64.</summary>
internal static class ImageSample
{
    /// <param name="folder">Where the layout goes; made if need be.</param>
    /// <param name="layers">The layers, the lowest first.</param>
    /// <param name="config">How its programs run: the `config` of its configuration, as JSON.</param>
    public static async Task WriteAsync(string folder, IEnumerable<FileTree> layers, string config, CancellationToken cancellation)
    {
        var blobs = Directory.CreateDirectory(Path.Combine(folder, "blobs", "sha256")).FullName;
        var listed = new JsonArray();
        foreach (var layer in layers)
        {
            using var tar = new MemoryStream();
            await layer.WriteTarAsync(tar, 0, cancellation);
            listed.Add(Blob(tar.ToArray(), "application/vnd.oci.image.layer.v1.tar"));
        }

        var described = Json(new JsonObject { ["architecture"] = "amd64", ["os"] = "linux", ["config"] = JsonNode.Parse(config) }, "application/vnd.oci.image.config.v1+json");
        var manifest = Json(new JsonObject { ["schemaVersion"] = 2, ["config"] = described, ["layers"] = listed }, "application/vnd.oci.image.manifest.v1+json");
        await File.WriteAllTextAsync(Path.Combine(folder, "oci-layout"), "{\"imageLayoutVersion\":\"1.0.0\"}", cancellation);
        await File.WriteAllTextAsync(Path.Combine(folder, "index.json"), new JsonObject { ["schemaVersion"] = 2, ["manifests"] = new JsonArray(manifest) }.ToJsonString(), cancellation);

        JsonObject Json(JsonNode document, string type) => Blob(Encoding.UTF8.GetBytes(document.ToJsonString()), type);

        JsonObject Blob(byte[] content, string type)
        {
            var sum = Convert.ToHexStringLower(SHA256.HashData(content));
            File.WriteAllBytes(Path.Combine(blobs, sum), content);
            return new JsonObject { ["mediaType"] = type, ["digest"] = $"sha256:{sum}", ["size"] = content.Length };
        }
    }
}
