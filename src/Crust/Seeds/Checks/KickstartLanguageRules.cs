using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Whether a kickstart file has only commands, options and sections that Anaconda takes: what it doesn't, ends the install before it begins.</summary>
internal static class KickstartLanguageRules
{
    public static readonly SeedRule Command = new("kickstart-command", SeedSeverity.Error,
        "A command of a kickstart file, or an option of one, that no version of Anaconda knows (RHEL 7 to 10, Fedora 40 to 45)",
        "clearpartt --all", "write the one that is meant; the message names the nearest one");

    public static readonly SeedRule Value = new("kickstart-value", SeedSeverity.Error,
        "An option of a kickstart command without its value, with one that it doesn't take, or one that the command needs and that isn't there",
        "part / --size=10G", "write it as the message says");

    public static readonly SeedRule Section = new("kickstart-section", SeedSeverity.Error,
        "A section of a kickstart file without an `%end` of its own, an `%end` without a section, or a section that Anaconda doesn't know",
        "%packages without %end", "write %end on a line of its own below the section");

    public static readonly SeedRule Gone = new("kickstart-gone", SeedSeverity.Warning, "A command or an option of a kickstart file that newer systems don't take any more, or warn of",
        "install", "leave it out, unless the system is an older one");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Kickstart)
            return [];

        var user = request.Files.UserData[0];
        var file = KickstartFile.Read(user.Text, user.Path);
        return [.. file.Commands.SelectMany(CheckCommand), .. file.Sections.SelectMany(CheckSection)];
    }

    private static IEnumerable<SeedFinding> CheckCommand(KickstartCommand command)
    {
        var language = KickstartLanguage.Current;
        if (command.Name is "%include" or "%ksappend")
            return command.Arguments.IsEmpty ? [Value.At(command.Place, $"'{command.Name}' names no file", "write the file's path behind it")] : [];
        if (!language.Commands.TryGetValue(command.Name, out var word))
            return [Command.At(command.Place, $"There is no command '{command.Name}'", SchemaWords.Suggestion(Nearest.Find(command.Name, language.Commands.Keys), []))];
        return [.. GoneIn(word.States, command.Name, command.Place), .. CheckArguments(word, command.Name, [.. command.Arguments], command.Place)];
    }

    private static IEnumerable<SeedFinding> CheckSection(KickstartSection section)
    {
        var language = KickstartLanguage.Current;
        if (section.Name == "%end")
            return [Section.At(section.Place, "This %end ends no section", "leave it out, or write the section's first line above it")];
        if (!language.Sections.TryGetValue(section.Name, out var word))
            return [Section.At(section.Place, $"There is no section '{section.Name}'", SchemaWords.Suggestion(Nearest.Find(section.Name, language.Sections.Keys), language.Sections.Keys))];
        return
        [
            .. section.IsClosed ? [] : new[] { Section.At(section.Place, $"'{section.Name}' has no %end") },
            .. CheckArguments(word, section.Name, [.. section.Arguments], section.Place),
        ];
    }

    // As Python's argparse: `--name=value` or `--name value`.
    private static IEnumerable<SeedFinding> CheckArguments(KickstartWord word, string name, List<string> arguments, Place place)
    {
        if (word.Options is null)
            yield break;

        var words = 0;
        var given = new HashSet<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            if (!arguments[i].StartsWith('-') || arguments[i].Length < 2 || (arguments[i][1] != '-' && !word.Options.ContainsKey(arguments[i])))
            {
                words++;
                continue;
            }

            var (key, value) = arguments[i].Split('=', 2) is [var before, var after] ? (before, after) : (arguments[i], (string?)null);
            if (word.OptionOf(key) is not { } known)
            {
                yield return Command.At(place, $"'{name}' has no option '{key}'", SchemaWords.Suggestion(Nearest.Find(key, word.Options.Keys), [.. word.Options.Keys]));
                // Its value would be counted as a word.
                if (value is null && i + 1 < arguments.Count && !arguments[i + 1].StartsWith('-'))
                    i++;
                continue;
            }

            given.Add(known);
            var option = word.Options[known];
            foreach (var gone in GoneIn(option.States, $"{name} {key}", place))
                yield return gone;
            if (!option.IsFlag && value is null && i + 1 < arguments.Count && !word.Options.ContainsKey(arguments[i + 1]))
                value = arguments[++i];
            if (CheckValue(option, $"{name} {key}", value, place) is { } finding)
                yield return finding;
        }

        foreach (var missing in word.Required.Where(required => word.IsCurrent && !given.Contains(required)))
            yield return Value.At(place, $"'{name}' has no {missing}, and needs it", $"add {missing}=…");
        if (words > word.Words && word.IsCurrent)
            yield return Value.At(place, $"'{name}' has a word too many: it takes "
                + $"{(word.Words == 0 ? "options alone" : word.Words == 1 ? "one word beside options" : $"{word.Words} words beside options")}",
                "take it away, or put what belongs together into quotes");
    }

    // Never the value itself, which may be a secret.
    private static SeedFinding? CheckValue(KickstartOption option, string name, string? value, Place place) =>
        option.IsFlag ? value is null ? null : Value.At(place, $"'{name}' takes no value", "take away the equals sign and what follows it")
        : value is null ? Value.At(place, $"'{name}' has no value", "write it behind an equals sign")
        : option.IsNumber && !long.TryParse(value.Trim().Replace("_", "", StringComparison.Ordinal), out _) ? Value.At(place, $"'{name}' isn't a whole number", "write digits alone, without a unit")
        : !option.Choices.IsEmpty && !option.Choices.Contains(value) ? Value.At(place, $"'{name}' has a value that it can't have", Nearest.Suggest(value, option.Choices))
        : null;

    private static IEnumerable<SeedFinding> GoneIn(string states, string name, Place place) => KickstartLanguage.Current.EndOf(states) is { } end
        ? [Gone.At(place, $"'{name}' is {end}")]
        : [];
}
