using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The JSON Schema of a spec file, for editors.</summary>
internal static class SpecSchema
{
    // The default encoder turns ' and > into \u escapes for the sake of HTML.
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The schema (JSON Schema, draft 2020-12) as indented JSON with a line break at its end.</summary>
    public static string ToJson(IReadOnlyCollection<SpecFormat> formats)
    {
        var root = Section();
        foreach (var key in SpecKeys.For(formats))
        {
            var parts = key.Path.Split('.');
            var section = parts[..^1].Aggregate(root, (above, name) => Child(above, name));
            Properties(section)[parts[^1]] = Describe(key);
        }

        var schema = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Crust's build spec",
        };
        foreach (var (name, value) in root.ToArray())
        {
            root.Remove(name);
            schema[name] = value;
        }

        return schema.ToJsonString(Readable) + "\n";
    }

    private static JsonObject Describe(SpecKey key)
    {
        // The reader takes a key without a value as a key that isn't there, and so must an editor.
        var value = key.Schema();
        var schema = new JsonObject { ["description"] = key.Description };
        if (key.Default is not null && !key.IsList)
            schema["default"] = (TypesOf(value).Any(type => type is "boolean" or "integer") || value.ContainsKey("const")) && !IsWord(value, key.Default)
                ? JsonNode.Parse(key.Default)
                : key.Default;
        schema["anyOf"] = new JsonArray(value, new JsonObject { ["type"] = "null" });
        return schema;
    }

    // Such as auto, of a key that is true or false as well.
    private static bool IsWord(JsonObject value, string text) => value["pattern"]?.GetValue<string>() is { } pattern && Regex.IsMatch(text, pattern);

    private static JsonObject Child(JsonObject above, string name)
    {
        if (Properties(above)[name] is JsonObject known)
            return known.ContainsKey("properties") ? known : AlsoSection(name, known);
        var section = Section();
        Properties(above)[name] = section;
        return section;
    }

    // A key that may be written by itself, and in a mapping with others: cache, verify.ssh.
    private static JsonObject AlsoSection(string name, JsonObject key)
    {
        var value = key["anyOf"]![0]!.DeepClone().AsObject();
        key.Remove("anyOf");
        key["type"] = new JsonArray([.. TypesOf(value).Concat(["object", "null"]).Select(type => JsonValue.Create(type))]);
        key["pattern"] = value["pattern"]!.DeepClone();
        key["additionalProperties"] = false;
        key["properties"] = name == "cache" ? new JsonObject { ["registry"] = value } : [];
        return key;
    }

    private static IEnumerable<string> TypesOf(JsonObject schema) => schema["type"] switch
    {
        JsonArray several => several.Select(type => type!.GetValue<string>()),
        { } one => [one.GetValue<string>()],
        null => [],
    };

    private static JsonObject Section() => new()
    {
        ["type"] = new JsonArray("object", "null"),
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject(),
    };

    private static JsonObject Properties(JsonObject section) => (JsonObject)section["properties"]!;
}
