using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>Lengths of time as a spec writes them.</summary>
internal static partial class Duration
{
    /// <summary>What a duration looks like, for messages.</summary>
    public const string Looks = "hours, minutes and seconds with their units, such as 60m, 90s, 2h or 1h30m";

    /// <summary>The longest duration that is taken: timers of the platform end at 49 days.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <summary>The regular expression that every duration matches, for the JSON Schema.</summary>
    internal const string Pattern = "^(?=[0-9])([0-9]+h)?([0-9]+m)?([0-9]+s)?$";

    /// <summary>Reads a duration such as `60m`, `90s`, `2h` or `1h30m`.</summary>
    /// <returns>Whether <paramref name="text"/> is a duration of at most 30 days. Zero is one.</returns>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var match = DurationPattern().Match(text);
        if (!match.Success)
            return false;

        double Part(string name) => match.Groups[name] is { Success: true, ValueSpan: var digits }
            ? double.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture)
            : 0;
        var seconds = 3600 * Part("hours") + 60 * Part("minutes") + Part("seconds");
        if (seconds > Longest.TotalSeconds)
            return false;

        duration = TimeSpan.FromSeconds(seconds);
        return true;
    }

    /// <summary>A duration as a spec writes it, in whole seconds: `1h`, `1h30m`, `45s`.</summary>
    public static string Format(TimeSpan duration)
    {
        var text = new StringBuilder();
        var hours = (long)duration.TotalHours;
        if (hours > 0)
            text.Append(CultureInfo.InvariantCulture, $"{hours}h");
        if (duration.Minutes > 0)
            text.Append(CultureInfo.InvariantCulture, $"{duration.Minutes}m");
        if (duration.Seconds > 0 || text.Length == 0)
            text.Append(CultureInfo.InvariantCulture, $"{duration.Seconds}s");
        return text.ToString();
    }

    [GeneratedRegex(@"\A(?=[0-9])((?<hours>[0-9]+)h)?((?<minutes>[0-9]+)m)?((?<seconds>[0-9]+)s)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DurationPattern();
}
