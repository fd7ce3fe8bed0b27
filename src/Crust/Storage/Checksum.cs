using System.Security.Cryptography;
using System.Text;

namespace Crust.Storage;

/// <summary>SHA-256 sums as text.</summary>
internal static class Checksum
{
    public static bool IsSha256(string text) => text.Length == 64 && text.All(char.IsAsciiHexDigit);

    /// <summary>The SHA-256 of a text's UTF-8.</summary>
    public static string OfText(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>The SHA-256 of a file.</summary>
    /// <exception cref="IOException">It can't be read.</exception>
    public static async Task<string> OfFileAsync(string path, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(file, cancellation));
    }

    /// <summary>The SHA-256 that a text is: 64 hex digits, also with `sha256:` before them; null if it is something else.</summary>
    public static string? ValueOf(string? text)
    {
        var digits = text?.StartsWith("sha256:", StringComparison.OrdinalIgnoreCase) is true ? text[7..] : text;
        return digits is not null && IsSha256(digits) ? digits.ToLowerInvariant() : null;
    }
}
