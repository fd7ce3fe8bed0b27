namespace Crust.Downloads;

/// <summary>Texts that OpenPGP has signed in the clear (RFC 9580, section 7: "Cleartext Signature Framework").</summary>
internal static class SignedText
{
    private const string Begin = "-----BEGIN PGP SIGNED MESSAGE-----";
    private const string Signature = "-----BEGIN PGP SIGNATURE-----";

    /// <summary>Whether a text has its signature in it.</summary>
    public static bool IsIn(string text) => text.TrimStart('\uFEFF').StartsWith(Begin, StringComparison.Ordinal) || text.Contains("\n" + Begin, StringComparison.Ordinal);

    /// <summary>What was signed, of a text that has its signature in it; another text as it is. Checks nothing.</summary>
    public static string Of(string text)
    {
        if (!IsIn(text))
        {
            return text;
        }

        var lines = text[text.IndexOf(Begin, StringComparison.Ordinal)..].Split('\n').Select(line => line.TrimEnd('\r')).Skip(1);
        // Headers (Hash: SHA512) end with an empty line; a line that begins with a dash has one more, and a space, before it.
        return string.Join('\n', lines.SkipWhile(line => line.Length > 0).TakeWhile(line => line != Signature).Select(line => line.StartsWith("- ", StringComparison.Ordinal) ? line[2..] : line));
    }
}
