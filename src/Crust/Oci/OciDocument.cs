using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crust.Oci;

/// <summary>A small file of an OCI image or artifact.</summary>
internal sealed record OciDocument(byte[] Json)
{
    // skopeo writes indexes anew, in its own way of writing JSON, before it pushes them: what is written as it would write it keeps its digest.
    private static readonly JsonSerializerOptions AsGoWrites = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Its SHA-256 in hex.</summary>
    public string Sha256 { get; } = Convert.ToHexStringLower(SHA256.HashData(Json));

    /// <summary>Its digest: the SHA-256 with its name before it.</summary>
    public string Digest => OciDescriptor.DigestOf(Sha256);

    /// <summary>A document of JSON without white space.</summary>
    public static OciDocument Of(JsonObject content) => new(Encoding.UTF8.GetBytes(
        content.ToJsonString(AsGoWrites).Replace("<", "\\u003c", StringComparison.Ordinal).Replace(">", "\\u003e", StringComparison.Ordinal).Replace("&", "\\u0026", StringComparison.Ordinal)));
}
