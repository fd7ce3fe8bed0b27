using System.Text.Json;
using System.Text.RegularExpressions;

namespace Crust.Seeds.Schemas;

/// <summary>
/// A JSON Schema, or a part of one. Of the drafts 4 to 7 it knows what the schemas in builder/schemas use; beside them words of Crust's own:
/// `x-yaml: go` (see <see cref="YamlDialect"/>), `x-unknown: warn` (an unknown key is no error, unless it is a known one misspelt), `x-means` (a pattern in words),
/// `x-obsolete` (nothing reads this key any more; what to write), `x-lenient` (a reader goes on with a value that it doesn't know), and `x-exact` (text that may not
/// come back changed). `$comment` and `x-sources` say where a part is from.
/// </summary>
internal readonly struct Schema
{
    private readonly JsonElement _root;
    private readonly JsonElement _here;

    private Schema(JsonElement root, JsonElement here)
    {
        _root = root;
        // As in the drafts up to 7, what stands beside a $ref doesn't count.
        while (here.ValueKind is JsonValueKind.Object && here.TryGetProperty("$ref", out var reference))
            here = Follow(root, reference.GetString()!);
        _here = here;
    }

    public static Schema Of(JsonElement root) => new(root, root);

    /// <summary>Who reads the documents that it is about.</summary>
    public YamlDialect Dialect => TextOf(_root, "x-yaml") == "go" ? YamlDialect.Go : YamlDialect.Python;

    /// <summary>Whether an unknown key is no error by itself.</summary>
    public bool IsOpen => Text("x-unknown") == "warn";

    /// <summary>What to write in place of a key that nothing reads any more; null for a key that is read.</summary>
    public string? Obsolete => Text("x-obsolete");

    /// <summary>Whether its reader goes on with a value that it doesn't know.</summary>
    public bool IsLenient => IsTrue("x-lenient");

    /// <summary>Whether text that comes back changed is no longer what it was.</summary>
    public bool IsExact => IsTrue("x-exact");

    /// <summary>What a pattern asks for, in words; null for none.</summary>
    public string? Means => Text("x-means");

    /// <summary>A keyword's text; null if it isn't there.</summary>
    public string? Text(string keyword) => TextOf(_here, keyword);

    /// <summary>A keyword's number; null if it isn't there.</summary>
    public double? Number(string keyword) => Get(keyword) is { ValueKind: JsonValueKind.Number } value ? value.GetDouble() : null;

    public bool IsTrue(string keyword) => Get(keyword) is { ValueKind: JsonValueKind.True };

    /// <summary>Whether a keyword is `false`, as `additionalProperties` may be.</summary>
    public bool IsFalse(string keyword) => Get(keyword) is { ValueKind: JsonValueKind.False };

    /// <summary>The schema that a keyword holds; null if there is none.</summary>
    public Schema? Part(string keyword) => Get(keyword) is { ValueKind: JsonValueKind.Object } value ? new Schema(_root, value) : null;

    /// <summary>The schemas that a keyword lists: of `anyOf`, `oneOf`, `allOf`.</summary>
    public IEnumerable<Schema> Parts(string keyword)
    {
        var root = _root;
        return Get(keyword) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().Select(part => new Schema(root, part)) : [];
    }

    /// <summary>The schemas that a keyword holds by name: of `properties`, `patternProperties`.</summary>
    public IEnumerable<(string Name, Schema Schema)> Named(string keyword)
    {
        var root = _root;
        // In one place cloud-init's schema has a number where a schema should stand, which nobody obeys.
        return Get(keyword) is { ValueKind: JsonValueKind.Object } map
            ? map.EnumerateObject().Where(entry => entry.Value.ValueKind is JsonValueKind.Object).Select(entry => (entry.Name, new Schema(root, entry.Value)))
            : [];
    }

    /// <summary>The schema of one property; null if it has none of its own.</summary>
    public Schema? Property(string name) =>
        Get("properties") is { ValueKind: JsonValueKind.Object } map && map.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Object ? new Schema(_root, value) : null;

    /// <summary>Whether one of its patterns names a property.</summary>
    public bool HasPatternFor(string name) => Named("patternProperties").Any(pattern => Regex.IsMatch(name, pattern.Name));

    /// <summary>The texts that a keyword lists, as `required` does.</summary>
    public IEnumerable<string> Texts(string keyword) => Values(keyword).Where(value => value.ValueKind is JsonValueKind.String).Select(value => value.GetString()!);

    /// <summary>The values that a keyword lists, as `enum` does; a single one, as `const` has, counts as a list of one.</summary>
    public IEnumerable<JsonElement> Values(string keyword) => Get(keyword) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } list => list.EnumerateArray(),
        { ValueKind: JsonValueKind.Object } => [],
        { } one => [one],
    };

    /// <summary>The kinds that `type` allows; null for any.</summary>
    public ValueKinds? Kinds => Get("type") is null ? null : Texts("type").Aggregate(ValueKinds.Nothing, (kinds, word) => kinds | word switch
    {
        "null" => ValueKinds.Null,
        "boolean" => ValueKinds.Boolean,
        "integer" => ValueKinds.Integer,
        "number" => ValueKinds.Integer | ValueKinds.Number,
        "string" => ValueKinds.String,
        "array" => ValueKinds.Array,
        "object" => ValueKinds.Object,
        _ => ValueKinds.Nothing,
    });

    /// <summary>The names of all keys that it has a schema for, in itself and in what it is put together of.</summary>
    public IEnumerable<string> KnownKeys() =>
        Named("properties").Select(entry => entry.Name).Concat(Parts("allOf").SelectMany(part => part.KnownKeys())).Distinct();

    private JsonElement? Get(string keyword) => _here.ValueKind is JsonValueKind.Object && _here.TryGetProperty(keyword, out var value) ? value : null;

    private static string? TextOf(JsonElement element, string keyword) =>
        element.ValueKind is JsonValueKind.Object && element.TryGetProperty(keyword, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    // Only references inside the document, by names: "#/$defs/NAME".
    private static JsonElement Follow(JsonElement root, string reference) =>
        reference.Split('/').Skip(1).Aggregate(root, (element, name) => element.GetProperty(name));
}
