using System.Text;
using Crust.Sanitizing;
using Crust.Storage;

namespace Crust.Reports.Page;

/// <summary>What a report shows of a serial log: its beginning and its end, as a person would read them.</summary>
/// <param name="Beginning">The beginning, or all of it.</param>
/// <param name="LeftOut">Bytes between the two.</param>
/// <param name="End">The end; empty if the beginning is all.</param>
/// <param name="Size">The whole log's size in bytes.</param>
internal sealed record SerialExcerpt(string Beginning, long LeftOut, string End, long Size)
{
    internal const int MostAtBeginning = 256 << 10;
    internal const int MostAtEnd = 1 << 20;

    /// <summary>Reads it; null if there is no log, or nothing in it.</summary>
    public static SerialExcerpt? Read(string? path)
    {
        try
        {
            if (path is null || !File.Exists(path))
            {
                return null;
            }

            using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var size = RandomAccess.GetLength(file);
            if (size <= MostAtBeginning + MostAtEnd)
            {
                var all = Text(Part(0, (int)size));
                return all.Length == 0 ? null : new SerialExcerpt(all, 0, "", size);
            }

            // Whole lines only: half of a secret at a cut would go unseen.
            var beginning = Part(0, MostAtBeginning);
            var end = Part(size - MostAtEnd, MostAtEnd);
            beginning = beginning[..(beginning.AsSpan().LastIndexOf((byte)'\n') + 1)];
            end = end[(end.AsSpan().IndexOf((byte)'\n') + 1)..];
            return new SerialExcerpt(Text(beginning), size - beginning.Length - end.Length, Text(end), size);

            byte[] Part(long offset, int length) => file.ReadUpTo(offset, length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string Text(byte[] bytes) => CleanText.Visible(Encoding.UTF8.GetString(bytes)).Trim('\n');
}
