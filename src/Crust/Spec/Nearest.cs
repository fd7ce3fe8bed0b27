namespace Crust.Spec;

/// <summary>Finds the name that somebody probably meant.</summary>
internal static class Nearest
{
    /// <summary>The candidate that a few typing errors turn into <paramref name="name"/>; null if none is near.</summary>
    public static string? Find(string name, IEnumerable<string> candidates)
    {
        var wanted = Plain(name);
        var best = candidates
            .Select(candidate => (candidate, distance: Distance(wanted, Plain(candidate))))
            .OrderBy(pair => pair.distance)
            .FirstOrDefault((candidate: "", distance: int.MaxValue));
        return best.distance <= Math.Max(1, wanted.Length / 3) ? best.candidate : null;
    }

    /// <summary>Whether a name is so near to a known one that it can hardly be a name of its own: one letter in a short word, two in a long one.</summary>
    public static bool IsTypo(string name, string known)
    {
        var (wanted, meant) = (Plain(name), Plain(known));
        return Distance(wanted, meant) <= (Math.Min(wanted.Length, meant.Length) switch { <= 3 => 0, <= 7 => 1, _ => 2 });
    }

    /// <summary>A remedy that offers the nearest candidate, or else all of them.</summary>
    public static string Suggest(string name, IReadOnlyCollection<string> candidates) =>
        Find(name, candidates) is { } near ? $"did you mean '{near}'?" : $"write {Or(candidates)}";

    /// <summary>`a, b or c`.</summary>
    public static string Or(IReadOnlyCollection<string> names) => names.Count < 2
        ? string.Concat(names)
        : $"{string.Join(", ", names.Take(names.Count - 1))} or {names.Last()}";

    /// <summary>How many letters must be put in, left out, changed or swapped with a neighbour (optimal string alignment).</summary>
    public static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
            d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++)
            d[0, j] = j;

        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var change = a[i - 1] == b[j - 1] ? 0 : 1;
                d[i, j] = Math.Min(Math.Min(d[i - 1, j] + 1, d[i, j - 1] + 1), d[i - 1, j - 1] + change);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }

    // user_data, user-data and userdata all mean userData.
    private static string Plain(string name) => name.Replace("_", "").Replace("-", "").ToLowerInvariant();
}
