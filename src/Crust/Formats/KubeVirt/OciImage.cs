using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Spec;

namespace Crust.Formats.KubeVirt;

/// <summary>A small file of an OCI image.</summary>
/// <param name="Json">Its bytes.</param>
internal sealed record OciDocument(byte[] Json)
{
    /// <summary>Its SHA-256 in hex.</summary>
    public string Sha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(Json));
}

/// <summary>
/// An OCI image of one layer (OCI Image Format Specification 1.0). Nothing in it tells when it was made: the same layer is the same image.
/// </summary>
internal sealed class OciImage
{
    /// <summary>The media type of a layer that isn't compressed.</summary>
    public const string LayerType = $"{MediaType}.layer.v1.tar";

    private const string MediaType = "application/vnd.oci.image";
    private const string ManifestType = $"{MediaType}.manifest.v1+json";

    /// <summary>Describes an image.</summary>
    /// <param name="name">What it is called where it is imported.</param>
    /// <param name="arch">The architecture that the guest is for; clusters with several choose by it.</param>
    /// <param name="layerSha256">The layer's SHA-256 in hex. It isn't compressed, so that this names its content as well.</param>
    /// <param name="layerLength">The layer's length in bytes.</param>
    public OciImage(string name, Arch arch, string layerSha256, long layerLength)
    {
        var platform = new JsonObject { ["architecture"] = arch.LowerName(), ["os"] = "linux" };
        Config = Document(new JsonObject
        {
            ["architecture"] = arch.LowerName(),
            ["os"] = "linux",
            ["config"] = new JsonObject(),
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray($"sha256:{layerSha256}") },
            ["history"] = new JsonArray(new JsonObject { ["created_by"] = "crust" }),
        });
        Manifest = Document(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = ManifestType,
            ["config"] = Descriptor($"{MediaType}.config.v1+json", Config.Sha256, Config.Json.Length),
            ["layers"] = new JsonArray(Descriptor(LayerType, layerSha256, layerLength)),
            ["annotations"] = new JsonObject { ["org.opencontainers.image.title"] = name },
        });
        var entry = Descriptor(ManifestType, Manifest.Sha256, Manifest.Json.Length);
        entry["platform"] = platform;
        entry["annotations"] = new JsonObject { ["org.opencontainers.image.ref.name"] = name };
        Index = Document(new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = $"{MediaType}.index.v1+json",
            ["manifests"] = new JsonArray(entry),
        });
    }

    /// <summary>Says that a folder is an OCI image layout, and of which version.</summary>
    public static OciDocument Layout { get; } = Document(new JsonObject { ["imageLayoutVersion"] = "1.0.0" });

    /// <summary>What the image runs on.</summary>
    public OciDocument Config { get; }

    /// <summary>What the image consists of.</summary>
    public OciDocument Manifest { get; }

    /// <summary>The images in the layout: this one.</summary>
    public OciDocument Index { get; }

    private static JsonObject Descriptor(string type, string sha256, long length) => new()
    {
        ["mediaType"] = type,
        ["digest"] = $"sha256:{sha256}",
        ["size"] = length,
    };

    private static OciDocument Document(JsonObject content) => new(Encoding.UTF8.GetBytes(content.ToJsonString()));
}
