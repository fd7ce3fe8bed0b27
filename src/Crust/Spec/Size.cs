using System.Globalization;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>Sizes in bytes as people write and read them. K, M, G and T are powers of 1024, as in QEMU.</summary>
internal static partial class Size
{
    /// <summary>What a size looks like, for messages.</summary>
    public const string Looks = "a whole number with K, M, G or T (powers of 1024), such as 100G, 4096M or 20GiB, or plain bytes";

    private const string Units = "KMGT";

    /// <summary>The regular expression that every size matches, for the JSON Schema.</summary>
    internal const string Pattern = "^[0-9]+([KMGTkmgt](iB)?)?$";

    /// <summary>Reads a size such as `100G`, `4096M`, `20GiB` or `1048576`.</summary>
    /// <returns>Whether <paramref name="text"/> is a size of at most 2^63 - 1 bytes.</returns>
    public static bool TryParse(string text, out long bytes)
    {
        bytes = 0;
        var match = SizePattern().Match(text);
        if (!match.Success || !long.TryParse(match.Groups["number"].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return false;

        var unit = match.Groups["unit"].ValueSpan;
        var shift = unit.IsEmpty ? 0 : 10 * (1 + Units.IndexOf(char.ToUpperInvariant(unit[0])));
        if (number > long.MaxValue >> shift)
            return false;

        bytes = number << shift;
        return true;
    }

    /// <summary>A size for people to read, rounded to one decimal: `512 bytes`, `3.0 GiB`.</summary>
    public static string Format(long bytes)
    {
        if (Math.Abs(bytes) < 1024)
            return $"{bytes} bytes";

        double value = bytes;
        var unit = -1;
        do
        {
            value /= 1024;
            unit++;
        }
        // 1023.95 and above would be rounded to 1024.0 of the smaller unit.
        while (Math.Abs(value) >= 1023.95 && unit < Units.Length - 1);

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {Units[unit]}iB");
    }

    /// <summary>A size as a spec writes it, exactly: `100G`, `1536M`, `513`.</summary>
    public static string ToSpecText(long bytes)
    {
        var unit = -1;
        while (bytes != 0 && bytes % 1024 == 0 && unit < Units.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }

        return unit < 0 ? $"{bytes}" : $"{bytes}{Units[unit]}";
    }

    [GeneratedRegex(@"\A(?<number>[0-9]+)((?<unit>[KMGTkmgt])(iB)?)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex SizePattern();
}
