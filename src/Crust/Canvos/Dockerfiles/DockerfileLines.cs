using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Canvos.Dockerfiles;

/// <summary>A text that an instruction is given in place of a file.</summary>
/// <param name="Name">What ends it.</param>
/// <param name="Expands">Whether variables in it are replaced: its name isn't quoted.</param>
internal sealed record HereDocument(string Name, string Content, bool Expands);

/// <summary>An instruction of a Dockerfile, its lines joined.</summary>
/// <param name="Number">The number of its first line, from 1.</param>
/// <param name="Keyword">In capital letters.</param>
/// <param name="Text">What stands behind the keyword.</param>
internal sealed record DockerLine(int Number, string Keyword, string Text, ImmutableArray<HereDocument> Documents);

/// <summary>A Dockerfile's lines (docs.docker.com, "Dockerfile reference": format, parser directives, here-documents).</summary>
internal static partial class DockerfileLines
{
    /// <param name="text">The file's text.</param>
    /// <param name="path">The file's path, for messages.</param>
    /// <param name="escape">The character that joins lines and takes a character's meaning.</param>
    /// <exception cref="CrustException">A line is no instruction, or a here-document has no end.</exception>
    public static ImmutableArray<DockerLine> Of(string text, string path, out char escape)
    {
        var lines = text.Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        var at = Directives(lines, path, out escape);
        var found = ImmutableArray.CreateBuilder<DockerLine>();
        while (at < lines.Length)
        {
            if (IsNothing(lines[at]))
            {
                at++;
                continue;
            }

            var number = at + 1;
            var joined = Joined(lines, ref at, escape);
            if (InstructionPattern().Match(joined) is not { Success: true } match)
            {
                throw new CrustException(FailureKind.BadInput, $"This is no instruction of a Dockerfile: {Sanitizing.CleanText.Line(joined, 100)}", $"{path}:{number}",
                    "write an instruction such as RUN, and what it does");
            }

            var keyword = match.Groups["keyword"].Value.ToUpperInvariant();
            var rest = match.Groups["rest"].Value.Trim();
            var documents = keyword is "RUN" or "COPY" or "ADD" ? Documents(rest, lines, ref at, path, number) : [];
            found.Add(new DockerLine(number, keyword, rest, documents));
        }

        return found.ToImmutable();
    }

    // Directives stand above all else: after the first line that is none, they are comments.
    private static int Directives(string[] lines, string path, out char escape)
    {
        escape = '\\';
        var at = 0;
        for (; at < lines.Length && DirectivePattern().Match(lines[at]) is { Success: true } match; at++)
        {
            var value = match.Groups["value"].Value;
            if (!match.Groups["name"].Value.Equals("escape", StringComparison.OrdinalIgnoreCase))
            {
                continue;
            }

            escape = value is "\\" or "`" ? value[0]
                : throw new CrustException(FailureKind.BadInput, $"The escape character '{Sanitizing.CleanText.Line(value, 20)}' is none", $"{path}:{at + 1}",
                    "write # escape=\\ or # escape=`");
        }

        return at;
    }

    // Comments and empty lines between the lines of an instruction are left out.
    private static string Joined(string[] lines, ref int at, char escape)
    {
        var joined = new StringBuilder();
        for (var goesOn = true; goesOn && at < lines.Length; at++)
        {
            if (joined.Length > 0 && IsNothing(lines[at]))
            {
                continue;
            }

            var line = lines[at].TrimEnd();
            goesOn = line.EndsWith(escape);
            joined.Append(goesOn ? line[..^1] : lines[at]);
        }

        return joined.ToString().Trim();
    }

    private static ImmutableArray<HereDocument> Documents(string text, string[] lines, ref int at, string path, int number)
    {
        var documents = ImmutableArray.CreateBuilder<HereDocument>();
        foreach (Match match in HereDocumentPattern().Matches(text))
        {
            var (name, tabs) = (match.Groups["name"].Value, match.Groups["tabs"].Length > 0);
            var content = new StringBuilder();
            var ended = false;
            while (!ended && at < lines.Length)
            {
                var line = tabs ? lines[at].TrimStart('\t') : lines[at];
                at++;
                ended = line == name;
                content.Append(ended ? "" : line + "\n");
            }

            if (!ended)
            {
                throw new CrustException(FailureKind.BadInput, $"The text <<{name} has no end", $"{path}:{number}", $"write {name} alone on a line behind it");
            }

            documents.Add(new HereDocument(name, content.ToString(), match.Groups["quote"].Length == 0));
        }

        return documents.ToImmutable();
    }

    private static bool IsNothing(string line) => line.TrimStart() is "" or ['#', ..];

    [GeneratedRegex(@"\A#[ \t]*(?<name>syntax|escape|check)[ \t]*=[ \t]*(?<value>\S*)[ \t]*\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex DirectivePattern();

    [GeneratedRegex(@"\A(?<keyword>[A-Za-z]+)(?<rest>\s.*|)\z", RegexOptions.Singleline | RegexOptions.ExplicitCapture)]
    private static partial Regex InstructionPattern();

    // Not <<< of bash, nor a shift in arithmetic.
    [GeneratedRegex(@"(?<![<\w])<<(?<tabs>-?)(?<quote>['""]?)(?<name>[A-Za-z_][A-Za-z0-9_.]*)\k<quote>(?=\s|;|\)|\||>|&|\z)", RegexOptions.ExplicitCapture)]
    private static partial Regex HereDocumentPattern();

    /// <summary>Whether a text is a here-document alone, whose content is the command.</summary>
    public static bool IsAlone(string text) => HereDocumentPattern().Match(text) is { Success: true, Index: 0 } match && match.Length == text.Length;
}
