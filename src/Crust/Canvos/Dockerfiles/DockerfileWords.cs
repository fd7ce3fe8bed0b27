using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Crust.Canvos.Dockerfiles;

/// <summary>Words and variables of a Dockerfile's instruction ("Environment replacement").</summary>
/// <param name="escape">The character that takes another one's meaning.</param>
internal sealed class DockerfileWords(char escape)
{
    /// <summary>Splits a text at blanks; quotes and what is escaped stay as they are.</summary>
    public ImmutableArray<string> Split(string text)
    {
        var words = ImmutableArray.CreateBuilder<string>();
        var word = new StringBuilder();
        char? quote = null;
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == escape && quote != '\'' && i + 1 < text.Length)
            {
                word.Append(c).Append(text[++i]);
            }
            else if (quote is null && char.IsWhiteSpace(c))
            {
                Add();
            }
            else
            {
                quote = quote is null ? (c is '"' or '\'' ? (char?)c : null) : c == quote ? null : quote;
                word.Append(c);
            }
        }

        Add();
        return words.ToImmutable();

        void Add()
        {
            if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }
    }

    /// <summary>A word with its variables replaced, without its quotes.</summary>
    /// <param name="known">What ARG and ENV have set; all else is empty.</param>
    /// <exception cref="FormatException">It has an expansion that Dockerfiles don't have.</exception>
    public string Expand(string word, IReadOnlyDictionary<string, string> known) => Expand(word, known, keepsQuotes: false);

    /// <summary>A here-document's text with its variables replaced; quotes in it are its own.</summary>
    /// <exception cref="FormatException">As above.</exception>
    public string ExpandText(string text, IReadOnlyDictionary<string, string> known) => Expand(text, known, keepsQuotes: true);

    private string Expand(string word, IReadOnlyDictionary<string, string> known, bool keepsQuotes)
    {
        var value = new StringBuilder();
        char? quote = null;
        for (var i = 0; i < word.Length; i++)
        {
            var c = word[i];
            if (!keepsQuotes && (c == quote || (quote is null && c is '"' or '\'')))
            {
                quote = c == quote ? null : (char?)c;
            }
            else if (c == escape && quote != '\'' && i + 1 < word.Length && (!keepsQuotes || word[i + 1] == '$'))
            {
                value.Append(word[++i]);
            }
            else if (c == '$' && quote != '\'')
            {
                i = ReadVariable(word, i, known, value);
            }
            else
            {
                value.Append(c);
            }
        }

        return value.ToString();
    }

    // Gives the place of the variable's last character.
    private int ReadVariable(string word, int at, IReadOnlyDictionary<string, string> known, StringBuilder value)
    {
        var isBraced = at + 1 < word.Length && word[at + 1] == '{';
        var start = at + (isBraced ? 2 : 1);
        var end = start;
        while (end < word.Length && (char.IsAsciiLetterOrDigit(word[end]) || word[end] == '_'))
        {
            end++;
        }

        var name = word[start..end];
        var given = known.GetValueOrDefault(name, "");
        if (!isBraced)
        {
            value.Append(name.Length > 0 ? given : "$");
            return name.Length > 0 ? end - 1 : at;
        }

        var close = word.IndexOf('}', end);
        if (close < 0 || name.Length == 0)
        {
            throw new FormatException("a ${…} has no name or no end");
        }

        var how = word[end..close];
        value.Append(how switch
        {
            "" => given,
            [':', '-', .. var other] => given.Length > 0 ? given : Expand(other, known, keepsQuotes: false),
            ['-', .. var other] => known.ContainsKey(name) ? given : Expand(other, known, keepsQuotes: false),
            [':', '+', .. var other] => given.Length > 0 ? Expand(other, known, keepsQuotes: false) : "",
            ['+', .. var other] => known.ContainsKey(name) ? Expand(other, known, keepsQuotes: false) : "",
            _ => throw new FormatException($"${{{name}{how}}} is an expansion that isn't known"),
        });
        return close;
    }

    /// <summary>The strings of a JSON list, the exec form; null if a text is something else.</summary>
    public static ImmutableArray<string>? List(string text)
    {
        if (text is not ['[', ..])
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(text, DockerfileJson.Default.StringArray) is { Length: > 0 } list && list.All(word => word is not null) ? [.. list] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string[]))]
internal sealed partial class DockerfileJson : System.Text.Json.Serialization.JsonSerializerContext;
