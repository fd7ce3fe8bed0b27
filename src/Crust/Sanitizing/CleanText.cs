using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Sanitizing;

/// <summary>
/// The one way in which text of others (guests, tools, names on disks and in archives, registries) is made harmless before it is shown or kept: without escape
/// sequences, control characters and invisible marks, without what a CI system or a reader takes for a command, in one line where a line is expected.
/// </summary>
internal static partial class CleanText
{
    /// <summary>The usual bound of one line: more is no message.</summary>
    public const int Longest = 1000;

    /// <summary>The bound of a line that shows how something goes on.</summary>
    public const int LongestProgress = 120;

    private const int MostLines = 300;

    // Of escape sequences that are looked at as a whole.
    private const int LongestSequence = 1000;

    /// <summary>A text as one clean line. Line breaks and tabs become blanks.</summary>
    /// <param name="longest">How many characters are kept; what is cut off is marked with an ellipsis.</param>
    public static string Line(string text, int longest = Longest)
    {
        var line = IsPlain(text) ? text : Filtered(text).Replace('\n', ' ').Replace('\t', ' ');
        return Disarmed(Cut(line.Trim(), longest));
    }

    /// <summary>The same for what a screen or a serial port shows at the moment: runs of blanks become one, and it is short.</summary>
    public static string Progress(string text) => Cut(Blanks().Replace(Line(text, int.MaxValue), " "), LongestProgress);

    /// <summary>A text of several clean lines; line breaks and tabs stay.</summary>
    public static string Block(string text) => IsPlain(text) ? Disarmed(text) : string.Join('\n', Filtered(text).Split('\n').Select(Disarmed));

    /// <summary>The text as its reader would see it, with line breaks and tabs, and nothing else changed: for pages, where no CI system reads commands.</summary>
    public static string Visible(string text) => IsPlain(text) ? text : Filtered(text);

    /// <summary>Clean lines of a text, each bounded, and not more of them than anybody reads.</summary>
    public static IEnumerable<string> Lines(string text, int most = MostLines, int longest = Longest)
    {
        var lines = Visible(text).TrimEnd('\n').Split('\n');
        return lines.Length <= most
            ? lines.Select(Clean)
            : lines.Take(most / 2).Select(Clean).Append($"… {lines.Length - most} more lines …").Concat(lines.TakeLast(most / 2).Select(Clean));

        string Clean(string line) => Disarmed(Cut(line.Replace('\t', ' ').TrimEnd(), longest));
    }

    /// <summary>
    /// How many characters at a place in a text nobody sees, or only as a line break: an escape sequence, a control character, an invisible mark. Zero for
    /// none; negative if the text ends inside an escape sequence.
    /// </summary>
    public static int Unseen(ReadOnlySpan<char> text)
    {
        if (text[0] is >= ' ' and <= '~')
        {
            return 0;
        }

        text = text[..Math.Min(text.Length, LongestSequence + 1)];

        var filter = default(EscapeFilter);
        if (filter.Takes(text[0]))
        {
            for (var i = 1; i < text.Length; i++)
            {
                if (filter.IsGround)
                {
                    return i;
                }

                // What isn't taken and ends the sequence isn't part of it.
                if (!filter.Takes(text[i]) && filter.IsGround)
                {
                    return i;
                }
            }

            return filter.IsGround ? text.Length : text.Length > LongestSequence ? 0 : -1;
        }

        return text[0] is '\n' or '\t' or '\r' ? 1 : char.IsSurrogatePair(text[0], text.Length > 1 ? text[1] : '\0') ? (IsInvisible(new Rune(text[0], text[1])) ? 2 : 0)
            : !char.IsSurrogate(text[0]) && IsInvisible(new Rune(text[0])) ? 1 : 0;
    }

    /// <summary>Whether a character is a control character, a mark that isn't seen or turns the direction of writing, or a separator of lines.</summary>
    public static bool IsInvisible(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;

    private static bool IsPlain(string text) => !text.AsSpan().ContainsAnyExceptInRange(' ', '~');

    private static string Filtered(string text)
    {
        var filter = new TerminalText();
        var clean = new StringBuilder(text.Length);
        filter.Append(text, clean);
        return clean.ToString();
    }

    private static string Cut(string text, int longest) =>
        text.Length <= longest ? text : text[..(char.IsHighSurrogate(text[longest - 1]) ? longest - 1 : longest)].TrimEnd() + "…";

    // With blanks in it, it is a text like any other.
    private static string Disarmed(string line) =>
        line.Contains("##", StringComparison.Ordinal) || line.Contains("::", StringComparison.Ordinal) || line.Contains("section_", StringComparison.OrdinalIgnoreCase)
            || line.Contains("travis_", StringComparison.OrdinalIgnoreCase)
            ? Command().Replace(line, match =>
                match.Value[^1] is '#' or ':' && match.Value[0] is not ('s' or 'S' or 't' or 'T') ? string.Join(' ', match.Value.AsEnumerable()) : match.Value.Replace("_", " _"))
            : line;

    // GitHub (::add-mask::, ##[group]), Azure (##vso[), TeamCity (##teamcity[), GitLab (section_start:), Travis (travis_fold:).
    [GeneratedRegex(@"#{2,}(?=\[|vso\[|teamcity\[)|^\s*:{2,}|(?<!\w):{2,}(?=[a-z]+(-[a-z]+)*( [^:]*)?::)|(?<!\w)(section_(start|end):|travis_(fold|time):)", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Command();

    [GeneratedRegex(@"\s{2,}")]
    private static partial Regex Blanks();
}
