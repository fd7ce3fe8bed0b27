using System.Collections.Immutable;

namespace Crust.Seeds.Secrets;

/// <summary>Secrets in a preseed file: all answers of debconf's type `password`, answers to questions whose names say so, and what commands and URLs hold.</summary>
internal static class PreseedSecrets
{
    public static ImmutableArray<FoundSecret> In(string text)
    {
        var found = new List<FoundSecret>(TextSecrets.In(text));
        for (var at = 0; at < text.Length;)
        {
            var end = EndOfAnswer(text, at);
            if (Answer(text, at, end) is { } secret)
                found.Add(secret);
            at = end + 1;
        }

        return FoundSecret.Joined(found);
    }

    /// <summary>Whether the answer to a question is a secret as a whole.</summary>
    public static bool IsSecret(string question, string type, string value) => value.Length > 0 && value is not ("*" or "!") && type switch
    {
        "password" => true,
        "string" or "text" => SecretNames.IsSecret(question),
        _ => false,
    };

    // owner question type value; a comment isn't one.
    private static FoundSecret? Answer(string text, int at, int end)
    {
        var words = new List<(int Start, int End)>();
        for (var i = at; i < end && words.Count < 3;)
        {
            while (i < end && IsBlank(text, i))
                i++;
            var start = i;
            while (i < end && !IsBlank(text, i))
                i++;
            if (i > start)
                words.Add((start, i));
        }

        if (words.Count < 3 || text[words[0].Start] == '#')
            return null;

        string Word(int i) => text[words[i].Start..words[i].End];
        var (valueStart, valueEnd) = (words[2].End, end);
        while (valueStart < valueEnd && IsBlank(text, valueStart))
            valueStart++;
        while (valueEnd > valueStart && char.IsWhiteSpace(text[valueEnd - 1]))
            valueEnd--;
        var value = text[valueStart..valueEnd];
        return IsSecret(Word(1), Word(2), value) ? new FoundSecret(valueStart, valueEnd - valueStart, Word(1)) : null;
    }

    // Also the backslash at a line's end, by which the next line belongs to it.
    private static bool IsBlank(string text, int at) => char.IsWhiteSpace(text[at]) || (text[at] == '\\' && at + 1 < text.Length && text[at + 1] is '\n' or '\r');

    private static int EndOfAnswer(string text, int at)
    {
        for (var end = at; ; end++)
        {
            end = text.IndexOf('\n', end);
            if (end < 0)
                return text.Length;
            var line = text.AsSpan(at, end - at).TrimEnd();
            if (line.Length == 0 || line[^1] != '\\')
                return end;
        }
    }
}
