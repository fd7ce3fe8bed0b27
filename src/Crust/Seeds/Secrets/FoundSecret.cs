using System.Collections.Immutable;
using System.Text;

namespace Crust.Seeds.Secrets;

/// <summary>A part of a text that nobody may see.</summary>
/// <param name="Start">Where it begins, in characters.</param>
/// <param name="Name">What it is, without what it holds: a key's path, an option, `a private key`.</param>
internal sealed record FoundSecret(int Start, int Length, string Name)
{
    /// <summary>Other forms of it, such as what it is decoded to: whoever keeps it out of logs has to know them, too.</summary>
    public ImmutableArray<string> Forms { get; init; } = [];

    public int End => Start + Length;

    /// <summary>The secrets of a text in their order; of those that overlap, one that covers them.</summary>
    public static ImmutableArray<FoundSecret> Joined(IEnumerable<FoundSecret> found)
    {
        var joined = new List<FoundSecret>();
        foreach (var one in found.Where(one => one.Length > 0).OrderBy(one => one.Start).ThenByDescending(one => one.Length))
        {
            if (joined is [.., var last] && one.Start < last.End)
                joined[^1] = last with { Length = Math.Max(last.End, one.End) - last.Start, Forms = [.. last.Forms.Union(one.Forms)] };
            else
                joined.Add(one);
        }

        return [.. joined];
    }

    /// <summary>A text with its secrets replaced. They don't overlap, and are in their order.</summary>
    public static string Replace(string text, ImmutableArray<FoundSecret> found, string mask)
    {
        var result = new StringBuilder();
        var from = 0;
        foreach (var one in found)
        {
            result.Append(text, from, one.Start - from).Append(mask);
            from = one.End;
        }

        return result.Append(text, from, text.Length - from).ToString();
    }

    /// <summary>It, and its other forms.</summary>
    public IEnumerable<string> ValuesIn(string text) => [text.Substring(Start, Length), .. Forms];
}
