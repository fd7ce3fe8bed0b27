using System.Globalization;

namespace Crust.Planning;

/// <summary>
/// One of several equal parts of a list of specs, so that machines share the work without talking to one another: each takes every <see cref="Count"/>th of the sorted files.
/// </summary>
/// <param name="Number">Which one, from 1.</param>
internal sealed record Shard(int Number, int Count)
{
    /// <summary>Reads `NUMBER/COUNT`.</summary>
    /// <param name="text">Such as `3/10`, the third of ten.</param>
    /// <param name="where">Where it stands, for the error.</param>
    /// <exception cref="CrustException">It is something else.</exception>
    public static Shard Parse(string text, string where) =>
        text.Split('/') is [var number, var count]
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var which) && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out var all)
        && which >= 1 && which <= all
            ? new Shard(which, all)
            : throw new CrustException(FailureKind.BadInput, $"'{text}' is no shard", where, "write NUMBER/COUNT, such as 3/10 for the third of ten; numbers begin at 1");

    /// <summary>The files of this shard. What stands in the list is what counts, not in which order.</summary>
    public IReadOnlyList<string> Of(IEnumerable<string> files) => [.. files.Order(StringComparer.Ordinal).Where((_, i) => i % Count == Number - 1)];
}
