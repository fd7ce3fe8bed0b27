using System.Collections.Immutable;
using System.Text;
using Crust.Seeds.Schemas;

namespace Crust.Seeds.Documents;

/// <param name="Name">Its first word.</param>
internal sealed record KickstartCommand(string Name, ImmutableArray<string> Arguments, Place Place)
{
    /// <summary>The value of an option, `--name=value` or `--name value`; null if it isn't there.</summary>
    public string? Option(string option)
    {
        for (var i = 0; i < Arguments.Length; i++)
        {
            if (Arguments[i] == option)
                return i + 1 < Arguments.Length ? Arguments[i + 1] : "";
            if (Arguments[i].StartsWith(option + "=", StringComparison.Ordinal))
                return Arguments[i][(option.Length + 1)..];
        }

        return null;
    }
}

/// <param name="Name">Its first word: `%post`; also `%end` where no section is open.</param>
/// <param name="IsClosed">Whether it has an `%end` of its own.</param>
internal sealed record KickstartSection(string Name, ImmutableArray<string> Arguments, bool IsClosed, Place Place);

/// <summary>
/// A kickstart file (pykickstart's "Kickstart Documentation"): commands, one a line, and sections from a line that begins with `%` to `%end`, whose lines
/// are none.
/// </summary>
internal sealed class KickstartFile
{
    // Lines with % that are no section.
    private static readonly string[] Directives = ["%include", "%ksappend"];

    private const string End = "%end";

    private readonly string _text;
    private readonly int _firstSection;

    private KickstartFile(string text, ImmutableArray<KickstartCommand> commands, ImmutableArray<KickstartSection> sections, int firstSection) =>
        (_text, Commands, Sections, _firstSection) = (text, commands, sections, firstSection);

    /// <summary>Its commands, `%include` and `%ksappend` among them, without those of the files that they name.</summary>
    public ImmutableArray<KickstartCommand> Commands { get; }

    public ImmutableArray<KickstartSection> Sections { get; }

    /// <param name="file">What the user calls it.</param>
    /// <exception cref="CrustException">A quote isn't closed, or the file has nothing in it.</exception>
    public static KickstartFile Read(string text, string file)
    {
        var commands = ImmutableArray.CreateBuilder<KickstartCommand>();
        var sections = ImmutableArray.CreateBuilder<KickstartSection>();
        var (number, at, firstSection, inSection) = (0, 0, text.Length, false);
        foreach (var line in text.Split('\n'))
        {
            number++;
            var start = line.Length - line.TrimStart().Length;
            var place = new Place(file, number, start + 1);
            var word = line[start..].Split([' ', '\t', '\r'], 2)[0];
            if (word == End && inSection)
            {
                sections[^1] = sections[^1] with { IsClosed = true };
                inSection = false;
            }
            // A script may have lines with % of its own; only the name of a section begins another one there, as in pykickstart.
            else if (word.StartsWith('%') && !Directives.Contains(word) && (!inSection || KickstartLanguage.Current.Sections.ContainsKey(word)))
            {
                inSection = word != End;
                sections.Add(new KickstartSection(word, [.. Split(line[start..], place).Skip(1)], word == End, place));
                firstSection = Math.Min(firstSection, at);
            }
            else if (!inSection && word.Length > 0 && word[0] != '#' && (word[0] != '%' || Directives.Contains(word)))
            {
                var words = Split(line[start..], place);
                commands.Add(new KickstartCommand(words[0], [.. words.Skip(1)], place));
            }

            at += line.Length + 1;
        }

        return commands.Count == 0 && firstSection == text.Length
            ? throw new CrustException(FailureKind.BadInput, "This is no kickstart file: it has neither a command nor a section", $"{file}:1:1", "write the commands of your installation into it")
            {
                Rule = "kickstart",
            }
            : new KickstartFile(text, commands.ToImmutable(), sections.ToImmutable(), firstSection);
    }

    /// <summary>The file with further commands before its first section.</summary>
    public string With(ImmutableArray<string> commands)
    {
        if (commands.IsEmpty)
            return _text;

        var before = _text[.._firstSection];
        var gap = before.Length == 0 || before.EndsWith('\n') ? "" : "\n";
        return $"{before}{gap}# Added by Crust.\n{string.Join('\n', commands)}\n{_text[_firstSection..]}";
    }

    /// <summary>A word as a kickstart file has it: in quotes where it needs them.</summary>
    public static string Quote(string word) => word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "$./@+:,_-=".Contains(c))
        ? word
        : $"\"{word.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"";

    // As Python's shlex in POSIX mode, by which Anaconda reads them.
    private static List<string> Split(string line, Place place)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var isWord = false;
        var quote = '\0';
        for (var i = 0; i < line.Length; i++)
        {
            var c = line[i];
            if (quote == '\0' ? c == '\\' : quote == '"' && c == '\\' && i + 1 < line.Length && line[i + 1] is '"' or '\\')
            {
                isWord = true;
                i++;
                word.Append(i < line.Length ? line[i] : "");
            }
            else if (quote != '\0')
            {
                if (c == quote)
                    quote = '\0';
                else
                    word.Append(c);
            }
            else if (c is '"' or '\'')
            {
                (quote, isWord) = (c, true);
            }
            else if (c == '#')
            {
                break;
            }
            else if (char.IsWhiteSpace(c))
            {
                if (isWord)
                    words.Add(word.ToString());
                word.Clear();
                isWord = false;
            }
            else
            {
                word.Append(c);
                isWord = true;
            }
        }

        if (quote != '\0')
            throw new CrustException(FailureKind.BadInput, $"A quote ({quote}) isn't closed", $"{place}", "close it on the same line") { Rule = "kickstart" };
        if (isWord)
            words.Add(word.ToString());
        return words.Count > 0 ? words : [""];
    }
}
