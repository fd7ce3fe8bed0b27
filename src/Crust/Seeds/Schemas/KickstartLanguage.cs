using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Crust.Seeds.Schemas;

/// <param name="States">A sign for each version: `+` known, `D` deprecated, `-` unknown.</param>
/// <param name="IsFlag">Whether it takes no value.</param>
/// <param name="IsNumber">Whether its value is a whole number.</param>
/// <param name="Choices">The values that it takes; empty for any.</param>
internal sealed record KickstartOption(string States, bool IsFlag, bool IsNumber, ImmutableArray<string> Choices);

/// <summary>A command or a section of a kickstart file.</summary>
/// <param name="States">A sign for each version: `+` known, `D` deprecated, `R` removed, `-` unknown.</param>
/// <param name="Options">Its options; null where it parses them in a way of its own.</param>
/// <param name="Required">Options without which every version refuses it.</param>
/// <param name="Words">How many words without dashes it takes at most; null for any number.</param>
internal sealed record KickstartWord(string States, FrozenDictionary<string, KickstartOption>? Options, ImmutableArray<string> Required, int? Words)
{
    /// <summary>Whether no version has it on its way out, so that what it takes is the same for all that know it.</summary>
    public bool IsCurrent => !States.Any(state => state is 'R' or 'D');

    /// <summary>The option that a name stands for. Python's argparse takes any beginning of a name that fits one option only; null for none.</summary>
    public string? OptionOf(string name) =>
        Options!.ContainsKey(name) ? name : name.Length > 2 ? Options.Keys.Order(StringComparer.Ordinal).FirstOrDefault(option => option.StartsWith(name, StringComparison.Ordinal)) : null;
}

/// <summary>The commands, options and sections that Anaconda takes, version by version: builder/schemas/kickstart.json, made of pykickstart's own parsers.</summary>
internal sealed class KickstartLanguage
{
    private static readonly Lazy<KickstartLanguage> Loaded = new(Load);

    private KickstartLanguage()
    {
    }

    public static KickstartLanguage Current => Loaded.Value;

    /// <summary>The versions that <see cref="KickstartWord.States"/> are about, `RHEL9` or `F42`: of each system the older ones first.</summary>
    public required ImmutableArray<string> Versions { get; init; }

    public required FrozenDictionary<string, KickstartWord> Commands { get; init; }

    /// <summary>All sections: `%post`.</summary>
    public required FrozenDictionary<string, KickstartWord> Sections { get; init; }

    /// <summary>Where something that older versions took is on its way out, in words: `removed since RHEL 9`; null for nowhere.</summary>
    public string? EndOf(string states)
    {
        List<string> ends = [];
        foreach (var family in Enumerable.Range(0, Versions.Length).GroupBy(i => Versions[i].TrimEnd([.. "0123456789"])))
        {
            var taken = family.Where(i => states[i] == '+').ToList();
            // What all of a system's versions don't know isn't going away there, it never came.
            var end = family.Where(i => states[i] is 'D' or 'R' || (states[i] == '-' && taken.Count > 0 && i > taken[0])).ToList();
            if (end.Count > 0)
                ends.Add($"{(states[end[^1]] == 'D' ? "deprecated" : "gone")} in "
                    + $"{(family.Key == "F" ? "Fedora " : "RHEL ")}{Versions[end[0]][family.Key.Length..]}{(end.Count > 1 ? " and later" : "")}");
        }

        return ends.Count == 0 ? null : string.Join(", ", ends);
    }

    private static KickstartLanguage Load()
    {
        using var document = JsonDocument.Parse(SchemaLibrary.Bytes("kickstart"));
        var root = document.RootElement;
        var versions = Texts(root, "versions");
        var all = new string('+', versions.Length);
        return new KickstartLanguage { Versions = versions, Commands = Words(root.GetProperty("commands"), all), Sections = Words(root.GetProperty("sections"), all) };
    }

    private static FrozenDictionary<string, KickstartWord> Words(JsonElement words, string all) => words.EnumerateObject().ToFrozenDictionary(word => word.Name, word => new KickstartWord(
        States(word.Value, all),
        word.Value.TryGetProperty("options", out var options)
            ? options.EnumerateObject().ToFrozenDictionary(option => option.Name, option =>
                new KickstartOption(States(option.Value, all), IsTrue(option.Value, "flag"), IsTrue(option.Value, "int"), Texts(option.Value, "choices")))
            : null,
        Texts(word.Value, "required"),
        word.Value.TryGetProperty("words", out var most) ? most.GetInt32() : null));

    private static string States(JsonElement entry, string all) => entry.TryGetProperty("in", out var states) ? states.GetString()! : all;

    private static bool IsTrue(JsonElement entry, string name) => entry.TryGetProperty(name, out _);

    private static ImmutableArray<string> Texts(JsonElement entry, string name) => entry.TryGetProperty(name, out var list) ? [.. list.EnumerateArray().Select(text => text.GetString()!)] : [];
}
