namespace Crust.Sysexts.Conversion;

/// <summary>A program of a root that an extension offers.</summary>
/// <param name="Path">Where it is in the root, without a slash in front.</param>
/// <param name="Target">Where a system has it after a merge, below `usr` or `opt`, without a slash in front.</param>
internal sealed record ProgramWish(string Path, string Target)
{
    private const string Option = "--program";

    // Where /usr is merged, as everywhere today.
    private static readonly string[] Merged = ["bin/", "sbin/"];

    /// <summary>How an error names it.</summary>
    public string Where => $"{Option} /{Path}";

    /// <summary>Reads `PATH` or `PATH:TARGET`.</summary>
    /// <exception cref="CrustException">They aren't paths of a program and of a place that is merged.</exception>
    public static ProgramWish Parse(string text)
    {
        var (path, target) = text.Split(':', 2) is [var from, var to] ? (from, to) : (text, null);
        var plain = Plain(path) ?? throw new CrustException(FailureKind.BadInput, $"'{path}' is no path of a program", $"{Option} {text}",
            "write its absolute path in the root: /usr/bin/tool");
        target ??= Merged.Any(folder => plain.StartsWith(folder, StringComparison.Ordinal)) ? $"/usr/{plain}" : path;
        return Plain(target) is { } place && (place.StartsWith("usr/", StringComparison.Ordinal) || place.StartsWith("opt/", StringComparison.Ordinal))
            ? new ProgramWish(plain, place)
            : throw new CrustException(FailureKind.BadInput, $"No system would see the program at '{target}': only /usr and /opt are merged", $"{Option} {text}",
                $"say where it goes: {Option} {path}:/usr/bin/{path[(path.LastIndexOf('/') + 1)..]}");
    }

    /// <summary>An absolute path without its slash in front; null if it is none of a file in a tree.</summary>
    public static string? Plain(string path) => path.Length > 1 && path[0] == '/' && path[1..].Split('/').All(part => part is not ("" or "." or "..")) ? path[1..] : null;

    /// <summary>Checks that no two programs go to the same place.</summary>
    /// <exception cref="CrustException">Two do.</exception>
    public static void CheckTargets(IEnumerable<ProgramWish> programs)
    {
        if (programs.GroupBy(program => program.Target).FirstOrDefault(group => group.Count() > 1) is { } clash)
        {
            throw new CrustException(FailureKind.BadInput, $"Two programs go to /{clash.Key}: {string.Join(" and ", clash.Select(program => $"/{program.Path}"))}",
                Option, $"give one of them another place: {Option} PATH:TARGET");
        }
    }
}
