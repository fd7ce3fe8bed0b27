using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Sanitizing;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Canvos.Args;

/// <summary>What one of the two readers of a line makes of it.</summary>
/// <param name="Value">The value; null where it makes none.</param>
/// <param name="Trouble">Why it makes none; null where it does.</param>
internal readonly record struct ArgReading(string? Value, string? Trouble)
{
    public static ArgReading Of(string value) => new(value, null);

    public static ArgReading None(string trouble) => new(null, trouble);
}

/// <summary>A line of an `.arg` file that sets something.</summary>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Dotenv">What Earthly makes of it, which builds the images.</param>
/// <param name="Shell">What earthly.sh makes of it, which sources the file.</param>
internal sealed record ArgLine(int Number, string Name, ArgReading Dotenv, ArgReading Shell);

/// <summary>Something in a CanvOS folder that the user should know of.</summary>
/// <param name="Where">File and line.</param>
internal sealed record CanvosFinding(string What, string Where, string Remedy)
{
    public override string ToString() => $"{Where}: {What}; to do: {Remedy}";
}

/// <summary>
/// An `.arg` file of CanvOS. Two programs read it: Earthly as a dotenv file (github.com/joho/godotenv), and earthly.sh, which sources it with bash. Where they
/// differ the images are built
/// with Earthly's value; Crust takes that one, and tells the difference.
/// </summary>
/// <param name="Path">The file's path, for messages.</param>
internal sealed partial record ArgFile(string Path, ImmutableArray<ArgLine> Lines)
{
    /// <exception cref="CrustException">It can't be read, or Earthly couldn't read it.</exception>
    public static ArgFile Read(string path) => Parse(UserFile.Read(path, path, "arg"), path);

    /// <exception cref="CrustException">Earthly couldn't read it.</exception>
    public static ArgFile Parse(string text, string path)
    {
        var lines = ImmutableArray.CreateBuilder<ArgLine>();
        var (dotenv, shell) = (new Dictionary<string, string>(StringComparer.Ordinal), new Dictionary<string, string>(StringComparer.Ordinal));
        var number = 1;
        for (var at = 0; at < text.Length;)
        {
            var end = EndOf(text, at);
            var line = text[at..end];
            if (line.Trim() is { Length: > 0 } content && content[0] != '#')
            {
                if (AssignmentPattern().Match(line) is not { Success: true } match)
                {
                    throw new CrustException(FailureKind.BadInput, $"The line sets nothing: {CleanText.Line(content, 100)}", $"{path}:{number}",
                        "write NAME=value, or a '#' in front of it");
                }

                var name = match.Groups["name"].Value;
                var value = line[match.Length..];
                var read = new ArgLine(number, name, DotenvValue.Of(value, dotenv), ShellOf(match, value, shell));
                if (read.Dotenv.Value is not { } taken)
                {
                    throw new CrustException(FailureKind.BadInput, $"Earthly can't read the value of {name}: {read.Dotenv.Trouble}", $"{path}:{number}",
                        $"write {name}='…' with the value between single quotes");
                }

                dotenv[name] = taken;
                shell[name] = read.Shell.Value ?? "";
                lines.Add(read);
            }

            number += text.AsSpan(at, end - at).Count('\n') + 1;
            at = end + 1;
        }

        return new ArgFile(path, lines.ToImmutable());
    }

    /// <summary>The line that counts for a name: the last; null if there is none.</summary>
    public ArgLine? Find(string name) => Lines.LastOrDefault(line => line.Name == name);

    /// <summary>The names that are set, in the file's order, each once.</summary>
    public IEnumerable<string> Names => Lines.Select(line => line.Name).Distinct();

    public string WhereOf(ArgLine line) => $"{Path}:{line.Number}, {line.Name}";

    /// <summary>Lines that the two readers understand differently, and names that stand twice.</summary>
    public IEnumerable<CanvosFinding> Findings()
    {
        foreach (var line in Lines.Where(line => line.Dotenv != line.Shell))
        {
            // The words of what a shell makes of a line may be a part of the value.
            var shell = IsSecret(line.Name) ? "and something else to the shell" : line.Shell.Value is { } value ? $"and {Shown(line.Name, value)} to the shell"
                : $"and the shell makes nothing of it: {line.Shell.Trouble}";
            yield return new CanvosFinding($"{line.Name} is {Shown(line.Name, line.Dotenv.Value!)} to Earthly, which builds with it, {shell}", WhereOf(line),
                $"write what is meant so that both read it alike: {line.Name}='…' with plain text between single quotes");
        }

        foreach (var twice in Lines.GroupBy(line => line.Name).Where(same => same.Count() > 1))
        {
            yield return new CanvosFinding($"{twice.Key} is set in lines {Nearest.Or([.. twice.Select(line => line.Number.ToString())]).Replace(" or ", " and ", StringComparison.Ordinal)}; the last counts",
                WhereOf(twice.Last()), "keep one of them");
        }
    }

    private static ArgReading ShellOf(Match match, string value, Dictionary<string, string> known)
    {
        var separator = match.Groups["separator"].Value;
        return separator == "=" && ShellName().IsMatch(match.Groups["name"].Value) ? ShellValue.Of(value, known)
            : separator.TrimEnd() == "=" && value is ['#', ..] ? ArgReading.Of("")
            : ArgReading.None("only NAME=value sets something there, without blanks around the '='");
    }

    // Where a line ends: a quoted value may go over several.
    private static int EndOf(string text, int at)
    {
        var end = text.IndexOf('\n', at) is >= 0 and var found ? found : text.Length;
        if (AssignmentPattern().Match(text[at..end]) is { Success: true } match && match.Length + at < end && text[at + match.Length] is ('"' or '\'') and var quote)
        {
            for (var i = at + match.Length + 1; i < text.Length; i++)
            {
                if (text[i] == '\\' && quote == '"')
                {
                    i++;
                }
                else if (text[i] == quote)
                {
                    return text.IndexOf('\n', i) is >= 0 and var close ? close : text.Length;
                }
            }
        }

        return end;
    }

    private static bool IsSecret(string name) => SecretNames.IsSecret(name) || CanvosArgs.Find(name)?.Fate is ArgFate.Refused;

    private static string Shown(string name, string value) => value.Length == 0 ? "empty" : IsSecret(name) ? "a value that isn't shown"
        : $"'{CleanText.Line(ValueTypes.WithoutLogin(value.Replace("\r", "\\r", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)), 100)}'";

    // godotenv also takes NAME: value, and blanks around.
    [GeneratedRegex(@"\A\s*(?:export\s+)?(?<name>[A-Za-z_][A-Za-z0-9_.]*)(?<separator>[ \t]*[=:][ \t]*(?=[^\s])|[ \t]*[=:])", RegexOptions.ExplicitCapture)]
    private static partial Regex AssignmentPattern();

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*\z")]
    private static partial Regex ShellName();
}
