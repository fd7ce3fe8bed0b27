namespace Crust.Recipes;

/// <summary>
/// The order of versions by which systemd-sysupdate chooses the newest: that of the UAPI Group's Version Format Specification (UAPI.10). Numbers count by value, letters by ASCII;
/// what follows `~`, `-`, `^` or `.` is older than what goes on otherwise, in this order, and `~` is older than the end.
/// </summary>
internal sealed class VersionOrder : IComparer<string>
{
    private const string Separators = "-^.";

    public static VersionOrder Instance { get; } = new();

    public int Compare(string? x, string? y)
    {
        var (a, b) = (x ?? "", y ?? "");
        while (true)
        {
            (a, b) = (SkipOthers(a), SkipOthers(b));
            if (Begins(a, '~') || Begins(b, '~'))
            {
                if (Begins(a, '~') != Begins(b, '~'))
                {
                    return Begins(a, '~') ? -1 : 1;
                }

                (a, b) = (a[1..], b[1..]);
            }

            if (a.Length == 0 || b.Length == 0)
            {
                return a.Length.CompareTo(b.Length);
            }

            foreach (var separator in Separators)
            {
                if (Begins(a, separator) != Begins(b, separator))
                {
                    return Begins(a, separator) ? -1 : 1;
                }

                if (Begins(a, separator))
                {
                    (a, b) = (a[1..], b[1..]);
                }
            }

            if (CompareFirst(ref a, ref b) is not 0 and var order)
            {
                return order;
            }
        }
    }

    private static int CompareFirst(ref string a, ref string b)
    {
        var areDigits = (a.Length > 0 && char.IsAsciiDigit(a[0])) || (b.Length > 0 && char.IsAsciiDigit(b[0]));
        var (first, second) = (Take(ref a, areDigits), Take(ref b, areDigits));
        if (!areDigits)
        {
            return string.CompareOrdinal(first, second);
        }

        // A number is newer than none, and a longer one than a shorter one, zeros in front aside.
        var (one, other) = (first.TrimStart('0'), second.TrimStart('0'));
        return first.Length == 0 || second.Length == 0 ? first.Length.CompareTo(second.Length)
            : one.Length != other.Length ? one.Length.CompareTo(other.Length)
            : string.CompareOrdinal(one, other);
    }

    private static string Take(ref string text, bool digits)
    {
        var length = 0;
        while (length < text.Length && (digits ? char.IsAsciiDigit(text[length]) : char.IsAsciiLetter(text[length])))
        {
            length++;
        }

        var taken = text[..length];
        text = text[length..];
        return taken;
    }

    private static string SkipOthers(string text)
    {
        var start = 0;
        while (start < text.Length && !char.IsAsciiLetterOrDigit(text[start]) && text[start] != '~' && !Separators.Contains(text[start]))
        {
            start++;
        }

        return text[start..];
    }

    private static bool Begins(string text, char with) => text.StartsWith(with);
}
