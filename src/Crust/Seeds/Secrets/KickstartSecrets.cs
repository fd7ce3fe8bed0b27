using System.Collections.Immutable;
using System.Text;

namespace Crust.Seeds.Secrets;

/// <summary>Secrets in a kickstart file: values of commands, in words as Python's shlex splits them, and all that its scripts hold.</summary>
internal static class KickstartSecrets
{
    // Their last words are passwords, not values of options.
    private static readonly ImmutableArray<string> PasswordCommands = ["rootpw", "sshpw"];

    public static ImmutableArray<FoundSecret> In(string text)
    {
        var found = new List<FoundSecret>(TextSecrets.In(text));
        var at = 0;
        foreach (var line in text.Split('\n'))
        {
            // A line of a script may begin with the name of a command, too; then it is one word too many that nobody sees.
            found.AddRange(InLine(text, at, line));
            at += line.Length + 1;
        }

        return FoundSecret.Joined(found);
    }

    private static IEnumerable<FoundSecret> InLine(string text, int at, string line)
    {
        var words = Words(line, at);
        if (words.Count < 2 || words[0].Value.StartsWith('#') || words[0].Value.StartsWith('%'))
            yield break;

        var isPasswordCommand = PasswordCommands.Contains(words[0].Value);
        for (var i = 1; i < words.Count; i++)
        {
            var word = words[i];
            var equals = word.Value.IndexOf('=');
            var option = equals < 0 ? word.Value : word.Value[..equals];
            if (option.StartsWith("--", StringComparison.Ordinal))
            {
                if (!IsSecretOption(option[2..]))
                {
                    if (isPasswordCommand && equals < 0 && option is "--username")
                        i++;
                    continue;
                }

                var value = equals >= 0 ? word.After(text, '=') : i + 1 < words.Count ? words[++i] : default;
                if (value.End > value.Start && !SecretNames.IsHarmless("password", value.Value))
                    yield return Of(value, option);
            }
            else if (isPasswordCommand)
            {
                // Unquoted words beyond the first are an error to Anaconda, and a password all the same.
                yield return Of(word, words[0].Value);
            }
        }
    }

    // argparse takes an option that is written in part.
    private static bool IsSecretOption(string option) =>
        SecretNames.IsSecret(option) || (option.Length >= 3 && ("password".StartsWith(option, StringComparison.Ordinal) || "passphrase".StartsWith(option, StringComparison.Ordinal)));

    private static FoundSecret Of(Word word, string name) => new(word.Start, word.End - word.Start, name) { Forms = [word.Value] };

    // As shlex in POSIX mode, but with where each word stands; a quote that isn't closed ends with the line.
    private static List<Word> Words(string line, int at)
    {
        var words = new List<Word>();
        var word = new StringBuilder();
        var (start, quote) = (-1, '\0');
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote == '\0' && c == '#')
                break;
            if (quote == '\0' && char.IsWhiteSpace(c))
            {
                End(i);
                continue;
            }

            if (start < 0)
                start = i;
            if (quote == '\0' ? c == '\\' : quote == '"' && c == '\\' && i + 1 < line.Length && line[i + 1] is '"' or '\\')
                word.Append(++i < line.Length ? line[i] : "");
            else if (quote == '\0' ? c is '"' or '\'' : c == quote)
                quote = quote == '\0' ? c : '\0';
            else
                word.Append(c);
        }

        End(line.TrimEnd('\r').Length);
        return words;

        void End(int end)
        {
            if (start >= 0)
                words.Add(new Word(word.ToString(), at + start, at + Math.Max(start, end)));
            word.Clear();
            start = -1;
        }
    }

    private readonly record struct Word(string Value, int Start, int End)
    {
        public Word After(string text, char c) => text.IndexOf(c, Start, End - Start) is >= 0 and var found ? new Word(Value[(Value.IndexOf(c) + 1)..], found + 1, End) : this;
    }
}
