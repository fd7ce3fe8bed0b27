namespace Crust.Reports;

/// <summary>A folder's `SHA256SUMS`, in the format of sha256sum(1): one line a file, two spaces between sum and name.</summary>
internal static class ChecksumFile
{
    public const string Name = "SHA256SUMS";

    /// <summary>The text with new sums put in; lines of files that are gone, or whose new sum is null, are dropped. All others stay as they are, also comments and what this can't read.</summary>
    public static string Update(string existing, IReadOnlyDictionary<string, string?> sums, Func<string, bool> fileExists)
    {
        var rows = existing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => (Line: line, File: FileOf(line))).ToList();
        var lines = rows.Where(row => row.File is not null && !sums.ContainsKey(row.File) && fileExists(row.File))
            .Select(row => row.Line)
            .Concat(sums.Where(sum => sum.Value is not null).Select(sum => $"{sum.Value}  {sum.Key}"))
            .OrderBy(FileOf, StringComparer.Ordinal);
        return string.Concat(rows.Where(row => row.File is null).Select(row => row.Line).Concat(lines).Select(line => line + "\n"));
    }

    /// <summary>The files that a text names; null if there is a line in it that Crust doesn't write.</summary>
    public static IReadOnlyList<string>? FilesOf(string text)
    {
        var files = text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(FileOf).ToList();
        return files.Contains(null) ? null : files.OfType<string>().ToList();
    }

    /// <summary>The text for the files that a manifest names.</summary>
    public static string Of(Manifest manifest) => Update("", SumsOf(manifest), _ => true);

    /// <summary>The sums of the files that a manifest names, by their names.</summary>
    public static Dictionary<string, string?> SumsOf(Manifest manifest)
    {
        var sums = manifest.Images.ToDictionary(image => image.File, image => image.Sha256);
        var signature = manifest.Signature is { } made ? new ManifestFile(made.File, made.Size, made.Sha256) : null;
        foreach (var file in manifest.Images.Select(image => image.BlockMap).Concat([manifest.Sbom, manifest.Provenance, signature]).OfType<ManifestFile>())
        {
            sums.Add(file.File, file.Sha256);
        }

        return sums;
    }

    // "<64 hex digits>  <name>"; a '*' in place of the second space marks binary mode.
    private static string? FileOf(string line) => line.Length > 66 && line[64] == ' ' && line[..64].All(char.IsAsciiHexDigit) ? line[66..].TrimEnd('\r') : null;
}
