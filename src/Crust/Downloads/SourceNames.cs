using Crust.Spec;
using Crust.Storage;

namespace Crust.Downloads;

/// <summary>What images are called after the file that their system comes from.</summary>
internal static class SourceNames
{
    private const int LongestName = 200;
    private const int DigitsOfName = 8;

    /// <summary>A file's name; of a URL, its last part.</summary>
    public static string FileOf(string source) => PathOrUrl.IsUrl(source, out var url) ? Uri.UnescapeDataString(url.Segments[^1]) : Path.GetFileName(source);

    /// <summary>A name of letters, digits, dots, dashes and underscores. Where that loses letters of other scripts, or a part of a long name, a few digits of the
    /// whole name's SHA-256 keep it apart from others.</summary>
    /// <param name="fallback">The name where nothing is left.</param>
    public static string Clean(string name, string fallback)
    {
        var clean = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-')).Trim('.', '-');

        // A file system takes names of 255 bytes, and images and their companions add to it.
        var kept = clean.Length switch { 0 => fallback, > LongestName => clean[..(LongestName - 1 - DigitsOfName)], _ => clean };
        return name.All(char.IsAscii) && clean.Length <= LongestName ? kept : $"{kept}-{Checksum.OfText(name.Normalize())[..DigitsOfName]}";
    }
}
