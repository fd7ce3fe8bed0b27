using System.Globalization;

namespace Crust.Content;

/// <summary>The names of a bundle's files, as CanvOS gives them by GNU split: `NAME.tar.zst_part00`.</summary>
internal static class PartNames
{
    public const string BundleExtension = ".tar.zst";

    public const string Mark = "_part";

    // GNU split's digits: 00 to 89, then 9000 to 9899, then 990000 and so on, so that a shell's order of names stays that of the parts (src/split.c, next_file_name).
    private const int FewestDigits = 2;

    /// <summary>The bundle's name as one file.</summary>
    public static string Whole(string name) => name + BundleExtension;

    /// <param name="index">Which part, from 0.</param>
    public static string Of(string name, int index) => Part(Whole(name), index);

    /// <summary>The name of a part of a file.</summary>
    /// <param name="index">Which part, from 0.</param>
    public static string Part(string file, int index)
    {
        var (digits, first, nines) = (FewestDigits, 0, "");
        // All but the last tenth of what the digits can say: what begins with a nine says that there are more.
        for (var count = 90; index - first >= count; count *= 10)
        {
            first += count;
            nines += "9";
            digits++;
        }

        return file + Mark + nines + (index - first).ToString($"D{digits}", CultureInfo.InvariantCulture);
    }

    /// <summary>A number of parts in words.</summary>
    public static string Count(int parts) => parts == 1 ? "1 part" : $"{parts} parts";

    /// <summary>Whether a file may be one of a bundle, whole or a part.</summary>
    public static bool IsOf(string name, string file) => file == Whole(name)
        || (file.StartsWith(Whole(name) + Mark, StringComparison.Ordinal) && file[(Whole(name).Length + Mark.Length)..] is { Length: >= FewestDigits } number && number.All(char.IsAsciiDigit));
}
