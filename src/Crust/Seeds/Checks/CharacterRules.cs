using System.Globalization;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

/// <summary>
/// Whether characters that nobody sees, or quotes that YAML doesn't know, make something else of a key or a value than people read. They come along when text is
/// copied from a web page or a word processor.
/// </summary>
internal static class CharacterRules
{
    public static readonly SeedRule Invisible = new("invisible-character", SeedSeverity.Error,
        "A no-break space or another character that looks like a space or like nothing, in a key: YAML takes it for a part of the key, which nobody reads then",
        "device: auto, indented with no-break spaces", "retype the line with plain spaces")
    { WarnsOnly = "at the beginning or end of a value, and for curly quotes around one" };

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) => request.CloudConfig is { } document ? Check(document) : [];

    private static IEnumerable<SeedFinding> Check(ConfigNode node) => node switch
    {
        ConfigMap map => map.Entries.SelectMany(entry => CheckKey(entry.Key).Concat(Check(entry.Value))),
        ConfigList list => list.Items.SelectMany(Check),
        ConfigScalar scalar => CheckValue(scalar),
        _ => [],
    };

    private static IEnumerable<SeedFinding> CheckKey(ConfigNode node)
    {
        if (node is ConfigScalar { IsSecret: false } key && key.Place.Line > 0 && NameOfStranger(key.Value) is { } name)
            yield return Invisible.At(key, $"There is {name} in the key '{Visible(key.Value)}': YAML takes it for a part of the key, not for a space");
    }

    private static IEnumerable<SeedFinding> CheckValue(ConfigScalar value)
    {
        if (value.IsSecret || value.Style is not YamlDotNet.Core.ScalarStyle.Plain || value.Place.Line == 0 || value.Value.Length == 0)
            yield break;

        if ((NameOf(value.Value[0]) ?? NameOf(value.Value[^1])) is { } name)
            yield return Invisible.Warn(value.Place, $"The value has {name} at its beginning or end, which is a part of it");
        else if (value.Value[0] is '\u201c' or '\u201d' or '\u201e' or '\u2018' or '\u2019' or '\u00ab')
            yield return Invisible.Warn(value.Place, "The value begins with a curly quote, which YAML takes for a letter", "write straight quotes: \" or '");
    }

    /// <summary>Whether a key has such a character in it.</summary>
    public static bool IsIn(string key) => NameOfStranger(key) is not null;

    /// <summary>A key without such characters.</summary>
    private static string Visible(string key) => string.Concat(key.Where(c => NameOf(c) is null)).Trim();

    private static string? NameOfStranger(string text) => text.Select(NameOf).FirstOrDefault(name => name is not null);

    private static string? NameOf(char c) => c switch
    {
        '\u00a0' => "a no-break space (U+00A0)",
        '\u202f' => "a narrow no-break space (U+202F)",
        '\u200b' => "a zero-width space (U+200B)",
        '\ufeff' => "a byte order mark (U+FEFF)",
        ' ' or '\t' or '\n' or '\r' => null,
        _ when char.GetUnicodeCategory(c) is UnicodeCategory.SpaceSeparator or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator =>
            $"an invisible character (U+{(int)c:X4})",
        _ => null,
    };
}
