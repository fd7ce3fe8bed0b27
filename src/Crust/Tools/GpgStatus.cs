using System.Collections.Immutable;

namespace Crust.Tools;

/// <summary>A line of what gpg says to programs (GnuPG's doc/DETAILS, "Format of the --status-fd output").</summary>
/// <param name="Keyword">What it is about: `GOODSIG`.</param>
internal sealed record GpgStatus(string Keyword, ImmutableArray<string> Arguments)
{
    private const string Prefix = "[GNUPG:] ";

    public static ImmutableArray<GpgStatus> Of(string output) =>
    [
        .. from line in output.Split('\n')
           where line.StartsWith(Prefix, StringComparison.Ordinal)
           let words = line[Prefix.Length..].TrimEnd('\r').Split(' ')
           select new GpgStatus(words[0], [.. words[1..]]),
    ];
}
