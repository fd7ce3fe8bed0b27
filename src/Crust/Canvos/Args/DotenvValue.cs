using System.Text;

namespace Crust.Canvos.Args;

/// <summary>A value as Earthly reads it: by github.com/joho/godotenv, whose oddities are kept, since they decide what CanvOS builds.</summary>
internal static class DotenvValue
{
    /// <param name="text">What stands behind the separator, up to the line's end, or that of the line in which a quote is closed.</param>
    /// <param name="known">What the lines above have set.</param>
    public static ArgReading Of(string text, IReadOnlyDictionary<string, string> known)
    {
        text = text.Replace("\r\n", "\n", StringComparison.Ordinal).TrimEnd('\r').TrimStart(' ', '\t');
        return text.Length > 0 && text[0] is '"' or '\'' ? Quoted(text, known) : Plain(text, known);
    }

    private static ArgReading Plain(string text, IReadOnlyDictionary<string, string> known)
    {
        // It looks from the end for a '#' behind a blank, and takes the last one alone for a comment.
        for (var i = text.Length - 1; i > 0; i--)
        {
            if (text[i] == '#' && char.IsWhiteSpace(text[i - 1]))
            {
                text = text[..i];
                break;
            }
        }

        return Expanded(text.Trim(), known);
    }

    private static ArgReading Quoted(string text, IReadOnlyDictionary<string, string> known)
    {
        var quote = text[0];
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] != quote || text[i - 1] == '\\')
            {
                continue;
            }

            var rest = text[(i + 1)..].Trim();
            return rest.Length > 0 && rest[0] != '#' ? ArgReading.None("something stands behind the closing quote")
                : quote == '\'' ? ArgReading.Of(text[1..i])
                : Expanded(Unescaped(text[1..i]), known);
        }

        return ArgReading.None("a quote isn't closed");
    }

    // \n and \r are line breaks, a backslash in front of all else but '$' goes.
    private static string Unescaped(string text)
    {
        var plain = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 == text.Length || text[i + 1] == '$')
            {
                plain.Append(text[i]);
                continue;
            }

            plain.Append(text[++i] switch { 'n' => '\n', 'r' => '\r', var other => other });
        }

        return plain.ToString();
    }

    // Variables have capital letters, digits and underscores; one that no line above has set is empty, whatever the environment has.
    private static ArgReading Expanded(string text, IReadOnlyDictionary<string, string> known)
    {
        var value = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length && text[i + 1] == '$')
            {
                value.Append('$');
                i++;
                continue;
            }

            if (text[i] != '$')
            {
                value.Append(text[i]);
                continue;
            }

            if (i + 1 < text.Length && text[i + 1] == '(')
            {
                return ArgReading.None("it holds $(…), and Earthly runs no commands");
            }

            var start = i + 1 + (i + 1 < text.Length && text[i + 1] == '{' ? 1 : 0);
            var end = start;
            while (end < text.Length && (char.IsAsciiLetterUpper(text[end]) || char.IsAsciiDigit(text[end]) || text[end] == '_'))
            {
                end++;
            }

            if (end == start)
            {
                value.Append('$');
                continue;
            }

            value.Append(known.GetValueOrDefault(text[start..end], ""));
            i = end < text.Length && text[end] == '}' ? end : end - 1;
        }

        return ArgReading.Of(value.ToString());
    }
}
