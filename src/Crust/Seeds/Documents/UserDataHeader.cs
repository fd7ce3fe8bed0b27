namespace Crust.Seeds.Documents;

/// <summary>
/// How cloud-init tells what a user-data is (cloudinit/handlers, type_from_starts_with): by what it begins with below blank lines, in any case; of several that
/// fit, the longest. A comment above it counts as something else.
/// </summary>
internal static class UserDataHeader
{
    // The longest first.
    private static readonly (string Beginning, string Name)[] Others =
    [
        ("#cloud-config-archive", "an archive of user-data (#cloud-config-archive)"),
        ("#cloud-config-jsonp", "a JSON patch (#cloud-config-jsonp)"),
        ("## template: jinja", "a Jinja template (## template: jinja)"),
        ("#cloud-boothook", "a boothook (#cloud-boothook)"),
        ("#part-handler", "a part handler (#part-handler)"),
        ("#include", "a list of URLs (#include)"),
        ("#!", "a script (#!)"),
    ];

    private const string CloudConfigBeginning = "#cloud-config";

    /// <summary>Whether cloud-init takes a text for a cloud-config.</summary>
    public static bool IsCloudConfig(string text) => Of(text) is null && Beginning(text).StartsWith(CloudConfigBeginning, StringComparison.Ordinal);

    /// <summary>What else cloud-init takes it for, in words; null for a cloud-config, or for nothing.</summary>
    public static string? Of(string text)
    {
        var beginning = Beginning(text);
        return Others.FirstOrDefault(other => beginning.StartsWith(other.Beginning, StringComparison.Ordinal)).Name
            ?? (IsMime(text) ? "a MIME message of several parts" : null);
    }

    /// <summary>Whether a text is a MIME message. cloud-init looks for the header in the first 4096 bytes, whatever stands around it; in a cloud-config it is part of a file's content.</summary>
    public static bool IsMime(string text) =>
        (text.StartsWith("Content-Type:", StringComparison.OrdinalIgnoreCase) || text.StartsWith("MIME-Version:", StringComparison.OrdinalIgnoreCase)
            || text.StartsWith("From ", StringComparison.Ordinal))
        && text[..Math.Min(text.Length, 4096)].Contains("mime-version:", StringComparison.OrdinalIgnoreCase);

    private static string Beginning(string text)
    {
        var start = text.AsSpan().TrimStart();
        return start[..Math.Min(start.Length, 64)].ToString().ToLowerInvariant();
    }
}
