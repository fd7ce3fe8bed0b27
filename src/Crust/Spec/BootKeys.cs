using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Crust.Spec;

internal abstract record KeyStep
{
    private KeyStep()
    {
    }

    /// <summary>Nothing, for a while.</summary>
    public sealed record Wait(TimeSpan Time) : KeyStep;

    /// <summary>Keys that are pressed together and let go, by QEMU's names (QKeyCode).</summary>
    public sealed record Press(ImmutableArray<string> Keys) : KeyStep
    {
        /// <inheritdoc/>
        public bool Equals(Press? other) => other is not null && Keys.SequenceEqual(other.Keys);

        /// <inheritdoc/>
        public override int GetHashCode() => Keys.Length;
    }

    /// <summary>A key that is pressed and held, or let go.</summary>
    public sealed record Hold(string Key, bool Down) : KeyStep;
}

/// <summary>
/// What is to be typed, in Packer's notation ("boot_command"): text as it is, `&lt;enter&gt;`, `&lt;f10&gt;`, `&lt;wait&gt;` (a second), `&lt;wait2s&gt;`, `&lt;wait1m30s&gt;`,
/// `&lt;leftCtrlOn&gt;` and `&lt;leftCtrlOff&gt;`. The guest's keyboard is an American one, as a machine's is that nobody has told otherwise.
/// </summary>
internal static partial class BootKeys
{
    private static readonly ImmutableDictionary<string, string> Named = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["bs"] = "backspace",
        ["del"] = "delete",
        ["enter"] = "ret",
        ["return"] = "ret",
        ["esc"] = "esc",
        ["tab"] = "tab",
        ["up"] = "up",
        ["down"] = "down",
        ["left"] = "left",
        ["right"] = "right",
        ["spacebar"] = "spc",
        ["insert"] = "insert",
        ["home"] = "home",
        ["end"] = "end",
        ["pageUp"] = "pgup",
        ["pageDown"] = "pgdn",
        ["menu"] = "menu",
        ["leftAlt"] = "alt",
        ["rightAlt"] = "alt_r",
        ["leftCtrl"] = "ctrl",
        ["rightCtrl"] = "ctrl_r",
        ["leftShift"] = "shift",
        ["rightShift"] = "shift_r",
        ["leftSuper"] = "meta_l",
        ["rightSuper"] = "meta_r",
    }.ToImmutableDictionary(StringComparer.OrdinalIgnoreCase);

    // The keys of an American keyboard that aren't letters or digits: what they give alone, what with shift, and QEMU's name.
    private static readonly ImmutableDictionary<char, ImmutableArray<string>> Characters = Table(
        "- _ minus", "= + equal", "[ { bracket_left", "] } bracket_right", "; : semicolon", "' \" apostrophe", "` ~ grave_accent",
        "\\ | backslash", ", < comma", ". > dot", "/ ? slash", "1 ! 1", "2 @ 2", "3 # 3", "4 $ 4", "5 % 5", "6 ^ 6", "7 & 7", "8 * 8", "9 ( 9", "0 ) 0");

    /// <summary>The steps of some texts, one after the other.</summary>
    /// <exception cref="FormatException">A name in angle brackets, or a character, that no key has; the message says which.</exception>
    public static ImmutableArray<KeyStep> Parse(IEnumerable<string> texts) => [.. texts.SelectMany(Parse)];

    private static IEnumerable<KeyStep> Parse(string text)
    {
        for (var at = 0; at < text.Length;)
        {
            if (Bracketed().Match(text, at) is { Success: true } name)
            {
                yield return ParseName(name.Groups[1].Value);
                at += name.Length;
            }
            else
            {
                yield return new KeyStep.Press(KeysOf(text[at++]));
            }
        }
    }

    private static KeyStep ParseName(string name)
    {
        if (WaitPattern().Match(name) is { Success: true } wait)
        {
            return new KeyStep.Wait(TimeOf(wait));
        }

        if (FunctionKey().IsMatch(name))
        {
            return new KeyStep.Press([name.ToLowerInvariant()]);
        }

        foreach (var (ending, isDown) in new[] { ("On", true), ("Off", false) })
        {
            if (name.EndsWith(ending, StringComparison.OrdinalIgnoreCase) && Named.TryGetValue(name[..^ending.Length], out var held))
            {
                return new KeyStep.Hold(held, isDown);
            }
        }

        return Named.TryGetValue(name, out var key)
            ? new KeyStep.Press([key])
            : throw new FormatException($"<{name}> is no key");
    }

    // <wait> alone is a second; a number without a unit is of seconds.
    private static TimeSpan TimeOf(Match wait)
    {
        double Part(string group) => wait.Groups[group] is { Success: true, ValueSpan: var digits } ? double.Parse(digits, CultureInfo.InvariantCulture) : 0;
        var milliseconds = Part("ms") + 1000 * (Part("plain") + Part("s") + 60 * Part("m") + 3600 * Part("h"));
        return wait.Length == "wait".Length ? TimeSpan.FromSeconds(1) : TimeSpan.FromMilliseconds(milliseconds);
    }

    private static ImmutableArray<string> KeysOf(char character) => character switch
    {
        >= 'a' and <= 'z' => [character.ToString()],
        >= 'A' and <= 'Z' => ["shift", char.ToLowerInvariant(character).ToString()],
        ' ' => ["spc"],
        '\n' => ["ret"],
        '\t' => ["tab"],
        _ => Characters.TryGetValue(character, out var keys) ? keys : throw new FormatException($"'{character}' is on no key of an American keyboard"),
    };

    private static ImmutableDictionary<char, ImmutableArray<string>> Table(params string[] rows) => rows
        .Select(row => row.Split(' '))
        .SelectMany(row => new[] { (row[0][0], ImmutableArray.Create(row[2])), (row[1][0], ["shift", row[2]]) })
        .ToImmutableDictionary(pair => pair.Item1, pair => pair.Item2);

    [GeneratedRegex(@"\G<([A-Za-z0-9.]+)>")]
    private static partial Regex Bracketed();

    [GeneratedRegex(@"\Await(?:(?<plain>\d+)|(?:(?<h>\d+)h)?(?:(?<m>\d+)m(?!s))?(?:(?<s>\d+(?:\.\d+)?)s)?(?:(?<ms>\d+)ms)?)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex WaitPattern();

    [GeneratedRegex(@"\Af([1-9]|1[0-2])\z", RegexOptions.IgnoreCase)]
    private static partial Regex FunctionKey();
}
