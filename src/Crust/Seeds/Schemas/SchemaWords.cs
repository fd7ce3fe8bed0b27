using System.Text.Json;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Schemas;

/// <summary>What is said of a document that breaks a schema. Never a value of the document: it may be a secret.</summary>
internal static class SchemaWords
{
    private const int MostNames = 12;

    private static readonly (ValueKinds Kind, string Noun)[] Nouns =
    [
        (ValueKinds.String, "text"),
        (ValueKinds.Boolean, "true or false"),
        (ValueKinds.Integer, "a whole number"),
        (ValueKinds.Array, "a list"),
        (ValueKinds.Object, "a mapping"),
        (ValueKinds.Null, "nothing"),
    ];

    /// <summary>A key as it stands in a sentence.</summary>
    public static string Name(string path) => path.Length == 0 ? "The document" : $"'{path}'";

    /// <summary>`text or a list`.</summary>
    public static string Noun(ValueKinds kinds) =>
        Nearest.Or([.. Nouns.Where(entry => (kinds & entry.Kind) != 0).Select(entry => entry.Noun == "a whole number" && (kinds & ValueKinds.Number) != 0 ? "a number" : entry.Noun)]);

    /// <summary>What a node is, for somebody who sees it.</summary>
    public static string Described(ConfigNode node, YamlDialect dialect = YamlDialect.Python) => node switch
    {
        ConfigMap => "a mapping",
        ConfigList => "a list",
        ConfigScalar scalar => PlainScalar.KindOf(scalar) switch
        {
            ValueKinds.Null => "empty",
            _ when dialect is YamlDialect.Go && !scalar.IsQuoted && GoScalar.KindsOf(scalar) is ValueKinds.String => "text",
            ValueKinds.Boolean when scalar.Value.ToLowerInvariant() is "yes" or "no" or "on" or "off" => $"read as {(scalar.IsTrue ? "true" : "false")}",
            ValueKinds.Boolean => "true or false",
            ValueKinds.Integer => "a number",
            ValueKinds.Number => "a number",
            ValueKinds.Date => "read as a date",
            _ when scalar.IsQuoted => "text in quotes",
            _ => "text",
        },
        _ => "something else",
    };

    /// <summary>How a node becomes what it has to be.</summary>
    public static string HowToBecome(ValueKinds wanted, ConfigNode node) => node switch
    {
        { IsNull: true } => "give it a value, or leave out the key",
        ConfigMap { Entries.Length: 1 } when (wanted & ValueKinds.String) != 0 => "put the whole text in quotes: a colon and a space in it make it a mapping",
        ConfigScalar { IsQuoted: false } when (wanted & ValueKinds.String) != 0 => "put it in quotes",
        ConfigScalar { IsQuoted: true, Value: var text } when (wanted & ValueKinds.Boolean) != 0 && text is "true" or "false" => "take the quotes away",
        ConfigScalar { IsQuoted: true, Value: var text } when (wanted & ValueKinds.Integer) != 0 && long.TryParse(text, out _) => "take the quotes away",
        ConfigScalar when (wanted & ValueKinds.Array) != 0 => "write it as a list: each entry on a line of its own, with a dash before it",
        ConfigScalar when wanted is ValueKinds.Boolean => "write true or false",
        ConfigScalar when wanted is ValueKinds.Integer => "write a number",
        ConfigList when (wanted & ValueKinds.String) != 0 => "write one text, without a dash before it",
        ConfigList when (wanted & ValueKinds.Object) != 0 => "write keys and values, without dashes before them",
        ConfigMap when (wanted & ValueKinds.Array) != 0 => "write it as a list: a dash before each entry",
        _ => $"write {Noun(wanted)}",
    };

    /// <summary>What to do about an unknown key.</summary>
    public static string Suggestion(string? near, IReadOnlyCollection<string> known) => near is not null
        ? $"did you mean '{near}'?"
        : known.Count is > 0 and <= MostNames ? $"leave it out, or write {Nearest.Or([.. known.Order(StringComparer.Ordinal)])}" : "leave it out, or look up its name";

    /// <summary>Which values are allowed, and perhaps which one was meant.</summary>
    public static string Allowed(IReadOnlyCollection<JsonElement> allowed, ConfigNode node)
    {
        List<string> words = [.. allowed.Select(value => value.ValueKind is JsonValueKind.String ? value.GetString()! : value.GetRawText()).Where(word => word.Length > 0)];
        var near = node is ConfigScalar { Value.Length: > 2 } scalar ? Nearest.Find(scalar.Value, words) : null;
        return near is not null ? $"did you mean {near}?" : words.Count <= MostNames ? $"write {Nearest.Or(words)}" : "look up which values it can have";
    }

    /// <summary>A sentence of cloud-init's schema without its marks; null for none.</summary>
    public static string? PlainText(string? marked)
    {
        var text = marked?.Replace("**", "'", StringComparison.Ordinal).Replace("``", "'", StringComparison.Ordinal).Trim().TrimEnd('.');
        return text is null or "" ? null : char.ToLowerInvariant(text[0]) + text[1..];
    }
}
