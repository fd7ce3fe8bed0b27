using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Crust.Spec;

/// <summary>Parts of the JSON Schemas (draft 2020-12) of files that are read by <see cref="YamlMapping"/>.</summary>
internal static class SchemaParts
{
    // The default encoder turns ' and > into \u escapes for the sake of HTML.
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A schema as indented JSON with a line break at its end.</summary>
    public static string Document(string title, JsonObject root)
    {
        var schema = new JsonObject { ["$schema"] = "https://json-schema.org/draft/2020-12/schema", ["title"] = title };
        foreach (var (name, value) in root)
        {
            schema[name] = value?.DeepClone();
        }

        return schema.ToJsonString(Readable) + "\n";
    }

    /// <summary>Keys of which exactly one of some has to be there.</summary>
    public static JsonObject OneOfKeys(string[] names, JsonObject schema)
    {
        schema.Remove("required");
        schema["oneOf"] = new JsonArray([.. names.Select(name => new JsonObject { ["required"] = new JsonArray(name) })]);
        return schema;
    }

    /// <summary>The names of architectures.</summary>
    public static IEnumerable<string> Archs() => Enum.GetValues<Arch>().Select(arch => arch.LowerName());

    /// <summary>A pattern that has to match all of a text.</summary>
    public static string Whole(string pattern) => $"^(?:{pattern})$";

    /// <summary>A mapping with these keys and no others.</summary>
    public static JsonObject Keys(string[] required, params (string Name, JsonObject Schema)[] keys) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["required"] = new JsonArray([.. required.Select(name => (JsonNode)name)]),
        ["properties"] = new JsonObject(keys.Select(key => KeyValuePair.Create(key.Name, (JsonNode?)key.Schema))),
    };

    /// <summary>A mapping whose keys are names of the user's.</summary>
    public static JsonObject Map(string description, string names, JsonObject value) => new()
    {
        ["description"] = description,
        ["type"] = "object",
        ["propertyNames"] = new JsonObject { ["pattern"] = Whole(names) },
        ["additionalProperties"] = value,
    };

    /// <summary>A list.</summary>
    public static JsonObject List(string description, JsonObject item) => new() { ["description"] = description, ["type"] = "array", ["items"] = item };

    /// <summary>One text, or a list of texts.</summary>
    public static JsonObject Texts(string description, string pattern) => Several(Text(description, pattern));

    /// <summary>A list of values, of which a single one may stand without brackets.</summary>
    public static JsonObject Several(JsonObject one)
    {
        var description = one["description"]!.DeepClone();
        one.Remove("description");
        return new JsonObject { ["description"] = description, ["anyOf"] = new JsonArray(one, new JsonObject { ["type"] = "array", ["items"] = one.DeepClone() }) };
    }

    /// <summary>One of some words.</summary>
    public static JsonObject OneOf(string description, IEnumerable<string> values) => new() { ["description"] = description, ["enum"] = new JsonArray([.. values.Select(value => (JsonNode)value)]) };

    /// <summary>A text that isn't empty.</summary>
    public static JsonObject Text(string description, string? pattern = null)
    {
        var schema = new JsonObject { ["description"] = description, ["type"] = "string", ["minLength"] = 1 };
        if (pattern is not null)
        {
            schema["pattern"] = pattern;
        }

        return schema;
    }
}
