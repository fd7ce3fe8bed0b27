using System.Text.Json.Nodes;
using Crust.Spec;
using static Crust.Spec.SchemaParts;

namespace Crust.Content;

/// <summary>The JSON Schema of a bundle's file, for editors. What spans several entries (an image that stands twice), only the reader says.</summary>
internal static class ContentSchema
{
    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson()
    {
        var root = Keys(["version"],
            ("version", new JsonObject { ["description"] = "The version of this format", ["enum"] = new JsonArray(1, "1") }),
            ("name", Text("What the bundle's files are called; the file's base name if it isn't there", Whole(ContentPlanReader.NamePattern))),
            ("archs", Archs("The architectures that are taken of images; amd64 if it isn't there")),
            ("images", Entries("Container images", "image", Keys(["image"],
                ("image", Text("registry/path, with :TAG, @sha256:DIGEST or both")),
                ("archs", Archs("The architectures that are taken of it; those of the file if it isn't there")),
                ("from", Text("Where it is pulled from, in place of its name: registry/path[:TAG]"))))),
            ("files", Entries("Files, and folders with all that is in them", "path", Keys(["path"],
                ("path", Text("The path on this host, from the file's folder on")),
                ("to", Text("Its path below files/ in the bundle; its base name if it isn't there", Whole(ContentPlanReader.TargetPattern))),
                ("sha256", Text("The SHA-256 that the file must have", "^(sha256:)?[0-9a-fA-F]{64}$"))))),
            ("registries", List("How registries are talked to", Keys(["registry"],
                ("registry", Text("The registry's host, with its port if it has one", Whole(ContentPlanReader.HostPattern))),
                ("authFile", Text("The file with its login, as skopeo login writes it")),
                ("certDir", Text("A folder with the certificate of its authority (*.crt), and a client's certificate and key (*.cert, *.key)")),
                ("tls", new JsonObject { ["description"] = "Whether it must have a certificate that is trusted; false takes any, and plain HTTP", ["type"] = "boolean" }),
                ("mirror", Text("A registry, perhaps with a path, that has the same repositories below it", Whole(ContentPlanReader.MirrorPattern)))))),
            ("retries", Number("How often something is tried again when a registry can't be reached, is busy or fails", 0, ContentPlanReader.MostRetries)),
            ("stall", Text("How long a registry may take and give nothing before that counts as a failure", Duration.Pattern)),
            ("split", new JsonObject
            {
                ["description"] = $"The most bytes of a part, or none for one file; {ContentPlan.UsualSplit} if it isn't there",
                ["anyOf"] = new JsonArray(
                    new JsonObject { ["type"] = "integer", ["minimum"] = ContentPlanReader.SmallestSplit },
                    new JsonObject { ["type"] = "string", ["pattern"] = $"{Size.Pattern}|^{ContentPlanReader.NoSplit}$" }),
            }),
            ("level", Number("How hard zstd tries", 1, ContentPlanReader.MostLevel)));
        root["anyOf"] = new JsonArray(new JsonObject { ["required"] = new JsonArray("images") }, new JsonObject { ["required"] = new JsonArray("files") });
        return Document("A bundle of container images and files for sites without a network", root);
    }

    private static JsonObject Archs(string description) => Several(OneOf(description, SchemaParts.Archs()));

    private static JsonObject Number(string description, int least, int most) => new() { ["description"] = description, ["type"] = "integer", ["minimum"] = least, ["maximum"] = most };

    // A single value stands for a mapping with the one key that each must have.
    private static JsonObject Entries(string description, string key, JsonObject whole) =>
        List(description, new JsonObject { ["anyOf"] = new JsonArray(whole["properties"]![key]!.DeepClone(), whole) });
}
