using System.Globalization;
using Crust.Spec;

namespace Crust.Reports.Page;

/// <summary>Numbers and lists as people say them.</summary>
internal static class Words
{
    /// <summary>A length of time: `0.3 s`, `42 s`, `2 min 37 s`, `1 h 5 min`.</summary>
    public static string Time(double seconds)
    {
        if (seconds < 9.95)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{Math.Max(0, seconds):0.0} s");
        }

        var whole = (long)Math.Round(seconds);
        return whole < 60 ? $"{whole} s"
            : whole < 3600 ? Join(whole / 60, "min", whole % 60, "s")
            : Join(whole / 3600, "h", whole % 3600 / 60, "min");
    }

    /// <summary>A time on a clock that began at zero: `0:07`, `12:30`, `1:05:00`.</summary>
    public static string Clock(double seconds)
    {
        var whole = (long)Math.Floor(seconds + 0.001);
        return whole < 3600 ? $"{whole / 60}:{whole % 60:00}" : $"{whole / 3600}:{whole % 3600 / 60:00}:{whole % 60:00}";
    }

    /// <summary>A number in few digits: `0.25`, `1.5`, `42`.</summary>
    public static string Number(double value) => value.ToString(value >= 9.95 ? "0" : value >= 0.995 ? "0.#" : "0.##", CultureInfo.InvariantCulture);

    /// <summary>A moment, in UTC.</summary>
    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("d MMMM yyyy, HH:mm 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>`a`, `a and b`, `a, b and c`.</summary>
    public static string List(IReadOnlyList<string> items) =>
        items.Count < 2 ? string.Concat(items) : $"{string.Join(", ", items.Take(items.Count - 1))} and {items[^1]}";

    /// <summary>`1 image`, `3 images`.</summary>
    public static string Count(long count, string noun) => $"{count.ToString("#,0", CultureInfo.InvariantCulture)} {noun}{(count == 1 ? "" : "s")}";

    /// <summary>A size, with its exact bytes where it was rounded.</summary>
    public static string ExactSize(long bytes) =>
        bytes < 1024 ? Size.Format(bytes) : $"{Size.Format(bytes)} ({bytes.ToString("#,0", CultureInfo.InvariantCulture)} bytes)";

    /// <summary>A firmware's name as people write it.</summary>
    public static string Firmware(string name) => name switch
    {
        "bios" => "BIOS",
        "uefi" => "UEFI",
        "uefi-secure" => "UEFI with Secure Boot",
        _ => name,
    };

    /// <summary>A text that begins with a capital letter and ends with a full stop.</summary>
    public static string Sentence(string text)
    {
        text = text.Trim();
        return text.Length == 0 ? text : $"{char.ToUpperInvariant(text[0])}{text[1..]}{(text[^1] is '.' or '!' or '?' or ':' ? "" : ".")}";
    }

    private static string Join(long large, string largeUnit, long small, string smallUnit) =>
        small == 0 ? $"{large} {largeUnit}" : $"{large} {largeUnit} {small} {smallUnit}";
}
