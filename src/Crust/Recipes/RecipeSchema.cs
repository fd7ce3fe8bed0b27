using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>The JSON Schema of a recipe, for editors. What spans several keys (a download that `files` names, a link out of the target), only the reader says.</summary>
internal static class RecipeSchema
{
    private const string AbsolutePath = @"^/[^\u0000-\u001f]+$";

    // The default encoder turns ' and > into \u escapes for the sake of HTML.
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson()
    {
        var schema = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = "Crust's recipe for upstream software" };
        foreach (var (name, value) in Root())
        {
            schema[name] = value?.DeepClone();
        }

        return schema.ToJsonString(Readable) + "\n";
    }

    private static JsonObject Root() => Keys(["name", "summary", "homepage", "license", "downloads", "versions"],
        ("name", Text("The file's base name: lower-case letters, digits and dashes", Whole(RecipeReader.WordPattern))),
        ("summary", Text("What it is, in a few words")),
        ("homepage", Text("Its page")),
        ("license", Text("An SPDX license expression")),
        ("versionForm", Text(@"A regular expression that matches a whole version; \d+\.\d+\.\d+ if it isn't there")),
        ("tag", Text("Upstream's name of a version; v{version} if it isn't there", @"\{version\}")),
        ("variants", Map("Selections of its content, the default first", RecipeReader.WordPattern, Text("What it has"))),
        ("downloads", Map("What upstream serves", RecipeReader.WordPattern, Download())),
        ("files", List("Which files go where", Scoped(["from", "to"],
            ("from", Text("DOWNLOAD, or DOWNLOAD:path/in/the/archive; a folder ends with a slash")),
            ("to", Text("An absolute path in the target", AbsolutePath)),
            ("mode", Text("Three octal digits", Whole(RecipeValues.ModePattern)))))),
        ("links", List("Symbolic links", Scoped(["at", "to"], ("at", Text("The link's absolute path", AbsolutePath)), ("to", Text("What the link says"))))),
        ("config", List("Defaults of configuration files", Scoped(["at", "text"],
            ("at", Text("The file's absolute path", AbsolutePath)), ("text", Text("Its text")), ("mode", Text("Three octal digits; 644 if it isn't there", Whole(RecipeValues.ModePattern)))))),
        ("tmpfiles", List("Lines of tmpfiles.d", Scoped(["line"], ("line", Text("A line as tmpfiles.d(5) describes it"))))),
        ("groups", Texts("System groups without a user", Whole(UnitReader.UserPattern))),
        ("users", List("System users, each with a group of its name", Keys(["name"],
            ("name", Text("The user's name", Whole(UnitReader.UserPattern))), ("comment", Text("Who it is")), ("home", Text("The user's home", AbsolutePath))))),
        ("units", List("systemd units and drop-ins", Scoped(["name"],
            ("name", Text("The unit's name with its suffix", Whole(UnitReader.UnitPattern))),
            ("dropIn", Text("The drop-in's file name", @"\.conf$")),
            ("text", Text("The file's text; absent for a unit that comes with the download")),
            ("wantedBy", Text("The unit that starts it; absent where the user decides", Whole(UnitReader.UnitPattern)))))),
        ("versions", Map("The versions, the newest first", ".+", Keys([],
            [("with", Map("The versions of other recipes that belong to it", RecipeReader.WordPattern, Text("A version that the recipe pins"))),
            .. Archs().Select(arch => (arch, Map($"SHA-256 sums of the downloads for {arch}", RecipeReader.WordPattern, Text("64 hex digits in lower case", Whole(VersionReader.SumPattern)))))]))));

    private static JsonObject Download() => OneOfKeys(["url", "package"], Keys([],
        ("package", Text("The name of the Debian package that it is, in place of a URL: apt's lists say where it is, and by which sum", Whole(DownloadReader.PackagePattern))),
        ("url", Text("The URL, with the placeholders {version}, {tag}, {arch}, {machine}, {file}", "^https://")),
        ("file", Keys([], [.. Archs().Select(arch => (arch, Text($"What {{file}} stands for on {arch}")))])),
        ("archive", OneOf("How it is packed; absent for a file that isn't", DownloadReader.Archives.Select(archive => archive.Name))),
        ("archs", Several(OneOf("The architectures for which it exists; both if it isn't there", Archs()))),
        ("sums", Text("The URL of upstream's own list of checksums", "^https://")),
        ("signature", Text("The URL of the list's signature, where it isn't in the list itself", "^https://")),
        ("key", Text("The fingerprint of the OpenPGP key that signs the list", Whole(DownloadReader.FingerprintPattern)))));

    private static JsonObject OneOfKeys(string[] names, JsonObject schema)
    {
        schema.Remove("required");
        schema["oneOf"] = new JsonArray([.. names.Select(name => new JsonObject { ["required"] = new JsonArray(name) })]);
        return schema;
    }

    private static IEnumerable<string> Archs() => Enum.GetValues<Arch>().Select(arch => arch.LowerName());

    private static string Whole(string pattern) => $"^(?:{pattern})$";

    private static JsonObject Scoped(string[] required, params (string Name, JsonObject Schema)[] keys) => Keys(required,
    [
        .. keys,
        ("for", Several(OneOf("What it is for; both if it isn't there", Enum.GetValues<RecipeUse>().Select(use => use.LowerName())))),
        ("only", Several(Text("The variants that have it; all if it isn't there", Whole(RecipeReader.WordPattern)))),
    ]);

    private static JsonObject Keys(string[] required, params (string Name, JsonObject Schema)[] keys) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]),
        ["properties"] = new JsonObject(keys.Select(key => KeyValuePair.Create(key.Name, (JsonNode?)key.Schema))),
    };

    private static JsonObject Map(string description, string names, JsonObject value) => new()
    {
        ["description"] = description,
        ["type"] = "object",
        ["propertyNames"] = new JsonObject { ["pattern"] = Whole(names) },
        ["additionalProperties"] = value,
    };

    private static JsonObject List(string description, JsonObject item) => new() { ["description"] = description, ["type"] = "array", ["items"] = item };

    private static JsonObject Texts(string description, string pattern) => Several(Text(description, pattern));

    // One value may stand without the brackets of a list.
    private static JsonObject Several(JsonObject one)
    {
        var description = one["description"]!.DeepClone();
        one.Remove("description");
        return new JsonObject { ["description"] = description, ["anyOf"] = new JsonArray(one, new JsonObject { ["type"] = "array", ["items"] = one.DeepClone() }) };
    }

    private static JsonObject OneOf(string description, IEnumerable<string> values) => new() { ["description"] = description, ["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value)]) };

    private static JsonObject Text(string description, string? pattern = null)
    {
        var schema = new JsonObject { ["description"] = description, ["type"] = "string", ["minLength"] = 1 };
        if (pattern is not null)
        {
            schema["pattern"] = pattern;
        }

        return schema;
    }
}
