using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Downloads;

/// <param name="Algorithm">What made the sum: `SHA-256`, `SHA-512`.</param>
/// <param name="Sum">The sum in lower-case hex.</param>
/// <param name="Name">The file that it is of; empty where the line names none.</param>
internal sealed record ChecksumEntry(string Algorithm, string Sum, string Name)
{
    /// <summary>The name's parts, without those that say "here".</summary>
    public ImmutableArray<string> Path { get; } = [.. Name.Replace('\\', '/').Split('/', StringSplitOptions.RemoveEmptyEntries).Where(part => part != ".")];
}

/// <summary>
/// A vendor's list of checksums, as coreutils (`SUM  NAME`), BSD (`SHA256 (NAME) = SUM`), OpenSSL (`SHA2-256(NAME)= SUM`) and PowerShell write it, or one sum alone;
/// perhaps signed in the clear.
/// </summary>
internal sealed partial class ChecksumList
{
    /// <summary>How long a list may be, in bytes.</summary>
    public const int MostBytes = 16 << 20;

    private const string Sha256 = "SHA-256";
    private const int LongestLine = 8 << 10;
    private const int MostTold = 5;

    private static readonly ImmutableDictionary<int, string> ByLength =
        new Dictionary<int, string> { [32] = "MD5", [40] = "SHA-1", [56] = "SHA-224", [64] = Sha256, [96] = "SHA-384", [128] = "SHA-512" }.ToImmutableDictionary();

    private readonly ImmutableArray<ChecksumEntry> _entries;

    private ChecksumList(ImmutableArray<ChecksumEntry> entries) => _entries = entries;

    /// <summary>The files with their SHA-256 sums, in the list's order; lines that name no file aren't among them.</summary>
    public IEnumerable<(string Name, string Sum)> Sha256Sums => _entries.Where(entry => entry.Algorithm == Sha256 && !entry.Path.IsEmpty).Select(entry => (entry.Path[^1], entry.Sum));

    /// <summary>Reads a list, of whatever encoding; lines that are none of a list don't count.</summary>
    public static ChecksumList Parse(byte[] bytes) => Parse(Decode(bytes));

    public static ChecksumList Parse(string text) =>
        new([.. SignedText.Of(text).Split(['\n', '\r'], StringSplitOptions.RemoveEmptyEntries).Where(line => line.Length <= LongestLine).Select(Read).OfType<ChecksumEntry>()]);

    /// <param name="path">The parts of the file's path or URL, of which the last is its name: a list may have several files of one name.</param>
    /// <param name="where">Where the list is, for messages.</param>
    /// <exception cref="CrustException">The list has none, or several, and nothing tells which.</exception>
    public string Find(IReadOnlyList<string> path, string where)
    {
        var name = path[^1];
        var named = _entries.Where(entry => entry.Path is [.., var last] && last == name).ToList();
        var candidates = named.Where(entry => entry.Algorithm == Sha256).ToList();
        if (candidates.Count == 0 && _entries.Where(entry => entry.Algorithm == Sha256).ToList() is [{ Name: "" } alone])
        {
            return alone.Sum;
        }

        if (candidates.Count == 0)
        {
            throw Lacks(name, named, where);
        }

        // The more of the paths is the same, and above all of the list's own.
        int Rank(ChecksumEntry entry) => (2 * Common(entry.Path, path)) + (Common(entry.Path, path) == entry.Path.Length ? 1 : 0);
        var best = candidates.Max(Rank);
        var sums = candidates.Where(entry => Rank(entry) == best).Select(entry => entry.Sum).Distinct().ToList();
        return candidates.Select(entry => entry.Sum).Distinct().Count() == 1 || sums.Count == 1 ? sums[0]
            : throw new CrustException(FailureKind.BadInput,
                $"The list of checksums has several files called {name}, and nothing says which of them is meant: {Told(candidates.Select(entry => $"{entry.Name} ({entry.Sum[..8]}…)"))}",
                where, "give the 64 hex digits of the right one in installer.sha256, or the ISO's whole URL");
    }

    /// <summary>The names in it that are most like another one, for a message; empty where it names none.</summary>
    public string NamesLike(string name) => Told(NamesOf(name));

    private static int Common(ImmutableArray<string> one, IReadOnlyList<string> other)
    {
        var count = 0;
        while (count < one.Length && count < other.Count && one[^(count + 1)] == other[^(count + 1)])
        {
            count++;
        }

        return count;
    }

    private CrustException Lacks(string name, List<ChecksumEntry> named, string where)
    {
        var names = NamesOf(name);
        var others = (named.Count > 0 ? [.. named] : _entries).Select(entry => entry.Algorithm).Distinct().Where(algorithm => algorithm != Sha256).ToList();
        var (has, remedy) = (named.Count, names.Count, others.Count) switch
        {
            ( > 0, _, _) => ($", only its {string.Join(", ", others)}", "give the vendor's list of SHA-256 sums (SHA256SUMS), or the ISO's 64 hex digits"),
            (_, 0, > 0) => ($": it is one of {string.Join(", ", others)}", "give the vendor's list of SHA-256 sums (SHA256SUMS), or the ISO's 64 hex digits"),
            (_, > 0, _) => ("", $"give the SHA256SUMS file that belongs to this very ISO, or its 64 hex digits; this list has {Told(names)}"),
            _ when _entries.Any(entry => entry.Algorithm == Sha256) => ("; it has several sums without names", "give the ISO's 64 hex digits"),
            _ => (": nothing in it is a checksum", "give the URL or path of the vendor's SHA256SUMS file, or the ISO's 64 hex digits"),
        };
        return new CrustException(FailureKind.BadInput, $"The list of checksums has no SHA-256 of {name}{has}", where, remedy);
    }

    private List<string> NamesOf(string name) =>
        [.. _entries.Where(entry => entry.Algorithm == Sha256 && entry.Name.Length > 0).Select(entry => entry.Name).Distinct().OrderByDescending(known => Alike(known, name))];

    private static string Told(IEnumerable<string> names)
    {
        var all = names.Select(name => string.Concat((name.Length > 120 ? name[..120] + "…" : name).Select(c => char.IsControl(c) ? '?' : c))).ToList();
        return string.Join(", ", all.Take(MostTold)) + (all.Count > MostTold ? $" and {all.Count - MostTold} more" : "");
    }

    // How many characters of the names are the same, from both ends.
    private static int Alike(string one, string other)
    {
        var name = one.Split('/', '\\')[^1];
        var most = Math.Min(name.Length, other.Length);
        return Enumerable.Range(0, most).TakeWhile(i => char.ToLowerInvariant(name[i]) == char.ToLowerInvariant(other[i])).Count()
            + Enumerable.Range(1, most).TakeWhile(i => char.ToLowerInvariant(name[^i]) == char.ToLowerInvariant(other[^i])).Count();
    }

    private static ChecksumEntry? Read(string line)
    {
        var text = line.Trim();
        // coreutils writes names with line breaks or backslashes so that they fit on a line, and says so by a backslash before the line.
        var isEscaped = text.StartsWith('\\');
        text = isEscaped ? text[1..] : text;
        if (Tagged().Match(text) is { Success: true } tagged)
        {
            var algorithm = NameOf(tagged.Groups["algorithm"].Value);
            return new ChecksumEntry(algorithm, tagged.Groups["sum"].Value.ToLowerInvariant(), NameOf(tagged.Groups["name"].Value, isEscaped));
        }

        return Plain().Match(text) is { Success: true } plain && ByLength.TryGetValue(plain.Groups["sum"].Length, out var known)
            ? new ChecksumEntry(known, plain.Groups["sum"].Value.ToLowerInvariant(), NameOf(plain.Groups["name"].Value, isEscaped))
            : null;
    }

    private static string NameOf(string name, bool isEscaped) => name is "-" or "stdin" ? ""
        : isEscaped ? Escape().Replace(name, match => match.Value[1] switch { 'n' => "\n", 'r' => "\r", var c => $"{c}" }) : name;

    // SHA256, SHA2-256 and SHA-256 are one; SHA3-256 and BLAKE2b-256 are others.
    private static string NameOf(string tag) => tag.ToUpperInvariant() switch
    {
        "SHA256" or "SHA2-256" or "SHA-256" => Sha256,
        "SHA512" or "SHA2-512" or "SHA-512" => "SHA-512",
        "SHA384" or "SHA2-384" or "SHA-384" => "SHA-384",
        "SHA224" or "SHA2-224" or "SHA-224" => "SHA-224",
        "SHA1" or "SHA-1" => "SHA-1",
        var other => other,
    };

    // What Windows' PowerShell writes into a file is UTF-16.
    private static string Decode(byte[] bytes) => bytes switch
    {
        [0xff, 0xfe, ..] => Encoding.Unicode.GetString(bytes, 2, bytes.Length - 2),
        [0xfe, 0xff, ..] => Encoding.BigEndianUnicode.GetString(bytes, 2, bytes.Length - 2),
        [0xef, 0xbb, 0xbf, ..] => Encoding.UTF8.GetString(bytes, 3, bytes.Length - 3),
        [not 0, 0, not 0, 0, ..] => Encoding.Unicode.GetString(bytes),
        [0, not 0, 0, not 0, ..] => Encoding.BigEndianUnicode.GetString(bytes),
        _ => Encoding.UTF8.GetString(bytes),
    };

    // SUM  NAME, SUM *NAME; `*` says that the file was read as binary data, `^` and `?` are shasum's.
    [GeneratedRegex(@"\A(?:SHA256[ \t]+)?(?<sum>[0-9a-fA-F]{32,128})(?:[ \t]+[*^?]?(?<name>[^ \t].*))?\z")]
    private static partial Regex Plain();

    [GeneratedRegex(@"\A(?<algorithm>[A-Za-z][A-Za-z0-9/_-]{0,30})[ ]?\((?<name>.+)\)[ \t]*=[ \t]*(?<sum>[0-9a-fA-F]{8,256})\z")]
    private static partial Regex Tagged();

    [GeneratedRegex(@"\\[\\nr]")]
    private static partial Regex Escape();
}
