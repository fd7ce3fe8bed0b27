using System.Text.Json.Nodes;
using Crust.Recipes;
using Crust.Spec;
using static Crust.Spec.SchemaParts;

namespace Crust.Sysexts.Baking;

/// <summary>The JSON Schema of `versions.yaml`, for editors.</summary>
internal static class VersionsSchema
{
    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson() => Document("The system extensions that a site publishes with Crust", Keys(["version", "extensions"],
    [
        ("version", new JsonObject { ["description"] = "The version of this format", ["enum"] = new JsonArray(1, "1") }),
        ("url", Text("Where the folder will be served", "^https?://")),
        ("pinMinor", Texts("Extensions that also get definitions that stay on a minor version; k3s, kubernetes and rke2 if it isn't there", ".+")),
        .. Build(),
        ("extensions", Extensions()),
    ]));

    private static JsonObject Extensions()
    {
        var list = List("The extensions", Keys(["recipe", "versions"],
        [
            ("recipe", Text("The recipe that it is made from", Whole(RecipeReader.WordPattern))),
            ("versions", Several(Text("Its versions, in quotes where they look like numbers"))),
            ("name", Text("What the extension is called; the recipe's name if it isn't there")),
            ("variant", Text("The recipe's variant; its first if it isn't there", Whole(RecipeReader.WordPattern))),
            ("follow", Words<FollowedVersions>("What crust recipe update proposes: the newest version in place of the newest that is listed, the newest of each one's minor version, or none; minor for those of pinMinor, newest otherwise")),
            .. Build(),
        ]));
        list["minItems"] = 1;
        return list;
    }

    private static (string Name, JsonObject Schema)[] Build() =>
    [
        ("archs", Several(OneOf("The architectures; amd64 if it isn't there", Archs()))),
        ("profile", Words<SysextProfile>("The kind of system that it is for")),
        ("os", Text("The ID of the systems that it is for, or _any")),
        ("level", Value("Their SYSEXT_LEVEL")),
        ("osVersion", Value("Their VERSION_ID")),
        ("format", Words<SysextFormat>("How it is packed")),
        ("reload", new JsonObject { ["description"] = "Whether systemd reads its units again after a merge", ["type"] = "boolean" }),
        ("epoch", new JsonObject { ["description"] = "The time of all files in it, in seconds since 1970", ["type"] = "integer", ["minimum"] = 0, ["maximum"] = uint.MaxValue }),
    ];

    private static JsonObject Words<TEnum>(string description)
        where TEnum : struct, Enum => OneOf(description, Enum.GetValues<TEnum>().Select(value => value.LowerName()));

    // 12 and 1.0 are numbers to YAML; the text is what counts.
    private static JsonObject Value(string description) => new() { ["description"] = description, ["type"] = new JsonArray("string", "number") };
}
