using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using YamlDotNet.Core;

namespace Crust.Seeds.Documents;

/// <summary>
/// Puts the values of environment variables where `${NAME}` stands. They may be secrets, and are treated as such. `$${NAME}` stays as `${NAME}`; a `$` before
/// anything else means itself, so that shell scripts in a document keep theirs.
/// </summary>
internal sealed partial class Substitution(ImmutableDictionary<string, string> variables)
{
    /// <summary>The rule of the error about a variable that isn't set.</summary>
    public const string UndefinedVariable = "undefined-variable";

    /// <summary>The tree with values put in. They never change its structure: a value is text within one scalar, whatever it looks like.</summary>
    /// <exception cref="CrustException">A variable isn't set.</exception>
    public ConfigNode Apply(ConfigNode node) => node switch
    {
        ConfigMap map => map.With([.. map.Entries.Select(entry => new ConfigEntry(Apply(entry.Key), Apply(entry.Value)))]),
        ConfigList list => list.With([.. list.Items.Select(Apply)]),
        ConfigScalar scalar when scalar.Value.Contains("${", StringComparison.Ordinal) => Apply(scalar),
        _ => node,
    };

    /// <summary>A text that isn't YAML with values put in.</summary>
    /// <param name="file">The file's name as the user gave it.</param>
    /// <param name="used">Gets the values that were put in; null for nothing.</param>
    /// <exception cref="CrustException">A variable isn't set, or its value has a line break, which would change what the text says.</exception>
    public string Apply(string text, string file, ICollection<string>? used = null)
    {
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var line = i + 1;
            lines[i] = Replace(lines[i], (column, name) => ValueOf(name, new Place(file, line, column + 1)) is var value && value.AsSpan().IndexOfAny('\r', '\n') >= 0
                ? throw Bad($"The value of {name} has a line break", new Place(file, line, column + 1), "give a value of one line")
                : Used(value));
        }

        return string.Join('\n', lines);

        string Used(string value)
        {
            used?.Add(value);
            return value;
        }
    }

    /// <summary>A text as it is without what variables will bring: what a file holds by itself.</summary>
    public static string Without(string text) => Variable().Replace(text, "");

    private ConfigScalar Apply(ConfigScalar scalar)
    {
        var isSecret = false;
        var value = Replace(scalar.Value, (_, name) =>
        {
            isSecret = true;
            return ValueOf(name, scalar.Place);
        });
        // What a variable brings stays what the file's author made of it: quoted is text, plain is whatever it looks like. But a plain scalar can't hold everything.
        var style = scalar.IsQuoted || MeansItself(value) ? scalar.Style : ScalarStyle.DoubleQuoted;
        return new ConfigScalar(value, style, scalar.Place, scalar.Tag) { IsSecret = scalar.IsSecret || isSecret };
    }

    private string ValueOf(string name, Place place) => variables.TryGetValue(name, out var value)
        ? value
        : throw Bad($"There is no environment variable {name}", place, $"set it (empty if need be), or write $${{{name}}} where the text itself is meant");

    private static string Replace(string text, Func<int, string, string> valueOf)
    {
        var result = new StringBuilder();
        var from = 0;
        foreach (Match match in Variable().Matches(text))
        {
            result.Append(text, from, match.Index - from);
            result.Append(match.Groups[1].Length > 0 ? match.Value[1..] : valueOf(match.Index, match.Groups[2].Value));
            from = match.Index + match.Length;
        }

        return result.Append(text, from, text.Length - from).ToString();
    }

    // Whether a text may stand without quotes wherever a scalar may: the reader says.
    private static bool MeansItself(string text)
    {
        try
        {
            return ConfigReader.Read($"[{text}]", "") is ConfigList { Items: [ConfigScalar { IsQuoted: false, HasTag: false } one] } && one.Value == text;
        }
        catch (CrustException)
        {
            return false;
        }
    }

    private static CrustException Bad(string what, Place place, string remedy) => new(FailureKind.BadInput, what, $"{place}", remedy) { Rule = UndefinedVariable };

    [GeneratedRegex(@"(\$)?\$\{([A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Variable();
}
