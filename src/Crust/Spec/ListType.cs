using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Crust.Spec;

internal static class ListType
{
    /// <summary>None, one or several of a kind, at most <paramref name="most"/>.</summary>
    public static ValueType<ImmutableArray<T>> Of<T>(ValueType<T> item, int most) => new(
        item.Placeholder,
        given => given.Items.Length <= most
            ? [.. given.Items.Select(one => item.Parse(given with { Items = [one] }))]
            : throw new CrustException(FailureKind.BadInput, $"There are {given.Items.Length} values, and at most {most} may be", given.Where, $"leave {most} of them"),
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = item.Schema(), ["maxItems"] = most })
    { IsList = true, PathAt = item.PathAt };
}
