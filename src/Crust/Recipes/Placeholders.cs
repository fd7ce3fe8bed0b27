using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>
/// The placeholders of a recipe's URLs and paths: `{version}`, `{tag}`, `{arch}` (`amd64`, `arm64`, as Go and Debian say), `{machine}` (`x86_64`, `aarch64`, as
/// uname says) and `{file}`.
/// </summary>
internal static partial class Placeholders
{
    /// <summary>Their names.</summary>
    public static readonly string[] Names = ["version", "tag", "arch", "machine", "file"];

    /// <summary>The placeholder in a text that there isn't; null if all are known.</summary>
    public static string? FindUnknown(string text) => Pattern().Matches(text).Select(match => match.Groups[1].Value).FirstOrDefault(name => !Names.Contains(name));

    /// <summary>Whether a text has a placeholder.</summary>
    public static bool Has(string text, string name) => text.Contains($"{{{name}}}", StringComparison.Ordinal);

    /// <summary>A URL with its placeholders filled in. What a value has beyond the letters of a path is percent-encoded: k3s' versions have a plus sign.</summary>
    public static Uri Url(string template, Recipe recipe, RecipeDownload download, string version, Arch arch) =>
        new(Fill(template, recipe, download, version, arch, Uri.EscapeDataString));

    /// <summary>A path with its placeholders filled in.</summary>
    public static string Path(string template, Recipe recipe, string version, Arch arch) => Fill(template, recipe, null, version, arch, value => value);

    private static string Fill(string template, Recipe recipe, RecipeDownload? download, string version, Arch arch, Func<string, string> encode) => Pattern().Replace(template, match => match.Groups[1].Value switch
    {
        "version" => encode(version),
        "tag" => encode(recipe.Tag.Replace("{version}", version)),
        "arch" => arch.LowerName(),
        "machine" => arch is Arch.Amd64 ? "x86_64" : "aarch64",
        "file" when download is not null && download.Files.TryGetValue(arch, out var file) => Fill(file, recipe, null, version, arch, encode),
        _ => match.Value,
    });

    [GeneratedRegex(@"\{([A-Za-z]*)\}")]
    private static partial Regex Pattern();
}
