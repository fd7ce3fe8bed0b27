using System.Text;
using Crust.Sanitizing;

namespace Crust.Inspection.Evidence;

/// <summary>Text that comes from a disk, which may hold anything.</summary>
internal static class PlainText
{
    private const int Longest = 200;

    /// <summary>The text of some bytes, whatever they are.</summary>
    public static string Of(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);

    /// <summary>A text that does nothing to whoever shows it: in one clean line, and not long.</summary>
    public static string Clean(string text) => CleanText.Line(text, Longest);

    /// <summary>What stands between NULs.</summary>
    public static IEnumerable<string> Parts(string text) => text.Split('\0', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Lines that aren't empty.</summary>
    public static IEnumerable<string> Lines(string text) => text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
