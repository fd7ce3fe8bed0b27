using System.Text.Json.Nodes;
using Crust.Recipes;
using static Crust.Spec.SchemaParts;

namespace Crust.Providers;

/// <summary>The JSON Schema of `provider.yaml`, for editors.</summary>
internal static class ProviderSchema
{
    private const string Inside = "^/.+";

    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson() => Document("The provider images that a site publishes with Crust", Keys(["version", "base", "kubernetes", "peVersion"],
    [
        ("version", new JsonObject { ["description"] = "The version of this format", ["enum"] = new JsonArray(1, "1") }),
        ("base", Text("The image that all begin with: docker://REGISTRY/NAME[:TAG][@sha256:…], or the path of an OCI layout or archive; {arch} stands for the architecture")),
        ("archs", Several(OneOf("The architectures; amd64 if it isn't there", Archs()))),
        ("kubernetes", Kubernetes()),
        ("peVersion", Value("The version of the agent that tags name")),
        ("customTag", Value("What stands at the tags' end")),
        ("repository", Text("Where the images are pushed: registry/path; --repo and REPO win")),
        ("osName", Value("The operating system's name, for the pack's values")),
        ("osVersion", Value("The operating system's version, for the pack's values")),
        ("site", Site()),
        ("layers", List("What is put over the base, in this order; Kubernetes lies below it", new JsonObject { ["anyOf"] = new JsonArray([.. Layers()]) })),
    ]));

    private static JsonObject Site()
    {
        var keys = Keys([],
        [
            ("httpProxy", Text("The proxy for http URLs, without a login")),
            ("httpsProxy", Text("The proxy for https URLs, without a login")),
            ("noProxy", Text("What is reached without a proxy, with commas between")),
            ("certificates", Texts("Files with certificates of authorities (PEM, DER) that the system trusts", ".+")),
            ("registryMirrors", Texts("Mirrors of registries for containerd, k3s and RKE2: docker.io=https://mirror.example.org", "^[^=]+=https?://[^ ]+$")),
        ]);
        keys["description"] = "What the sites' network asks of the system; commands that run while it is made have it, too";
        return keys;
    }

    private static JsonObject Kubernetes()
    {
        var keys = Keys(["distribution", "versions"],
        [
            ("distribution", OneOf("The distribution, as tags name it", Distribution.All.Select(known => known.Name))),
            ("versions", Several(Value("Kubernetes' versions, in quotes where they look like numbers; 1.33.5+k3s2 names the distribution's own, too"))),
            ("flavor", Text("What stands behind Kubernetes' version in the recipe's; k3s1 and rke2r1 if it isn't there")),
            ("recipe", Text("The recipe of its programs, in place of the distribution's usual one", Whole(RecipeReader.WordPattern))),
            ("variant", Text("The recipe's variant; its first if it isn't there", Whole(RecipeReader.WordPattern))),
            ("bundle", new JsonObject { ["description"] = "Whether the images have Kubernetes' programs; true if it isn't there",
                ["enum"] = new JsonArray(true, false, "true", "false") }),
        ]);
        keys["description"] = "Which Kubernetes the images have; one image for each version";
        return keys;
    }

    private static IEnumerable<JsonObject> Layers()
    {
        yield return Keys(["files"], ("files", Text("A folder or a tar archive: what is in it goes onto the root")),
            ("into", Text("The folder that it goes to; the root if it isn't there", "^/")));
        yield return Keys(["file", "to"], ("file", Text("A file")), ("to", Text("Its path in the image", Inside)));
        yield return Keys(["text", "to"], ("text", new JsonObject { ["description"] = "A file's text", ["type"] = new JsonArray("string", "null") }),
            ("to", Text("Its path in the image", Inside)));
        yield return Keys(["image"], ("image", Text("Another image: docker://…, or the path of an OCI layout or archive; {arch} stands for the architecture")),
            ("take", Texts("The files and folders of it that are taken; all if it isn't there", Inside)),
                ("into", Text("The folder that they go to; the root if it isn't there", "^/")));
        yield return Keys(["recipe"], ("recipe", Text("Upstream software, NAME or NAME@VERSION, as a recipe says")), ("variant", Text("The recipe's variant")));
    }

    // 4 and 22.04 are numbers to YAML; the text is what counts.
    private static JsonObject Value(string description) => new() { ["description"] = description, ["type"] = new JsonArray("string", "number") };
}
