using System.Text;

namespace Crust.Inspection.Evidence;

/// <summary>Text that comes from a disk, which may hold anything.</summary>
internal static class PlainText
{
    private const int Longest = 200;

    /// <summary>The text of some bytes, whatever they are.</summary>
    public static string Of(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    /// <summary>A text that does nothing to whoever shows it: in one line, without control characters and marks that turn the direction of writing, and not long.</summary>
    public static string Clean(string text)
    {
        var clean = new StringBuilder(Math.Min(text.Length, Longest));
        foreach (var c in text.Trim())
        {
            if (clean.Length == Longest)
            {
                return clean.Append('…').ToString();
            }

            clean.Append(c is '\n' or '\r' or '\t' ? ' ' : char.IsControl(c) || char.IsSurrogate(c) || c is (>= '\u2028' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u200e' or '\u200f' ? '\ufffd' : c);
        }

        return clean.ToString().Trim();
    }

    /// <summary>What stands between NULs.</summary>
    public static IEnumerable<string> Parts(string text) => text.Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Lines that aren't empty.</summary>
    public static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
