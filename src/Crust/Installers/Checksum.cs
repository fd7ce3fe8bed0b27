using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Crust.Installers;

/// <summary>SHA-256 sums as text.</summary>
internal static partial class Checksum
{
    /// <summary>Whether a text is 64 hex digits.</summary>
    public static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigit);

    /// <summary>The SHA-256 of a text's UTF-8.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// Finds a file's sum in a SHA256SUMS file: the lines of coreutils (`sum  name`, `sum *name`), those of BSD
    /// (`SHA256 (name) = sum`), or one sum alone. Folders before a name don't count. Null if it isn't there.
    /// </summary>
    public static string? Find(string sums, string fileName)
    {
        var lines = sums.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines is [var only] && IsSha256(only))
        {
            return only.ToLowerInvariant();
        }

        return lines
            .Select(line => Line.Match(line))
            .FirstOrDefault(match => match.Success && match.Groups["name"].Value.Split('/')[^1] == fileName)
            ?.Groups["sum"].Value.ToLowerInvariant();
    }

    [GeneratedRegex(@"^(?:(?<sum>[0-9a-fA-F]{64})\s+\*?(?<name>\S.*)|SHA256\s*\((?<name>.+)\)\s*=\s*(?<sum>[0-9a-fA-F]{64}))$")]
    private static partial Regex Line { get; }
}
