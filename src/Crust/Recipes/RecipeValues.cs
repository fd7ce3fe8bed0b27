using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Values that several sections of a recipe have: templates, paths, modes, architectures, scopes.</summary>
internal static partial class RecipeValues
{
    /// <summary>What a mode is written like. No set-user-ID bits: what upstream serves runs as who starts it.</summary>
    public const string ModePattern = "0?[0-7]{3}";

    public static string Template(YamlMapping keys, string key, string text)
    {
        if (Placeholders.FindUnknown(text) is { } unknown)
        {
            throw keys.Wrong(key, $"There is no placeholder '{{{unknown}}}'", $"write one of {string.Join(", ", Placeholders.Names.Select(name => $"{{{name}}}"))}");
        }

        return key is not ("url" or "sums" or "signature") || text.StartsWith("https://", StringComparison.Ordinal) ? text
            : throw keys.Wrong(key, "Upstream's files come by https", "write a URL that begins with https://; a mirror is named when recipes are fetched");
    }

    /// <summary>A path in the target, which lies where the uses in its scope may have something.</summary>
    /// <param name="mayBeConfig">Whether it may lie below /etc in a system extension, too: as a default that is copied there.</param>
    public static string Target(YamlMapping keys, string key, RecipeScope scope, bool mayBeConfig)
    {
        var path = Template(keys, key, keys.Required(key));
        if (path[0] != '/' || path.Length < 2 || !IsInside(path[1..]))
        {
            throw keys.Wrong(key, $"'{path}' is no path in the target", "write an absolute path without ..");
        }

        return !scope.HasSysext || IsBelow(path, "/usr/") || IsBelow(path, "/opt/") || (mayBeConfig && IsBelow(path, "/etc/")) ? path
            : throw keys.Wrong(key, $"'{path}' lies outside /usr and /opt{(mayBeConfig ? " and /etc" : "")}, where a system extension has nothing", "write for: layer, or another path");
    }

    public static UnixFileMode? Mode(YamlMapping keys) => keys.Text("mode") switch
    {
        null => null,
        var text when ModeForm().IsMatch(text) => (UnixFileMode)Convert.ToInt32(text, 8),
        var text => throw keys.Wrong("mode", $"'{text}' isn't a file's mode", "write three octal digits in quotes, such as '755'"),
    };

    public static Arch Arch(YamlMapping keys, string key, string text) => Enum.GetValues<Arch>().Cast<Arch?>().FirstOrDefault(arch => arch!.Value.LowerName() == text)
        ?? throw keys.Wrong(key, $"'{text}' is no architecture", "write amd64 or arm64");

    /// <summary>For what uses and in which variants an entry is taken.</summary>
    public static RecipeScope Scope(YamlMapping keys, ImmutableArray<RecipeVariant> variants) => new(
        [.. keys.Texts("for").Select(text => Enum.GetValues<RecipeUse>().Cast<RecipeUse?>().FirstOrDefault(use => use!.Value.LowerName() == text)
            ?? throw keys.Wrong("for", $"'{text}' is nothing that a recipe is used for", "write layer, sysext or provider, or leave it out for all of them"))],
        [.. keys.Texts("only").Select(text => variants.Any(variant => variant.Name == text) ? text : throw keys.Wrong("only", $"There is no variant '{text}'",
            variants.IsEmpty ? "leave it out: this recipe has no variants" : Nearest.Suggest(text, [.. variants.Select(variant => variant.Name)])))]);

    /// <summary>A text file's text, with a line break at its end.</summary>
    public static string Text(YamlMapping keys, string key)
    {
        var text = keys.Required(key);
        return text.Any(c => char.IsControl(c) && c is not ('\n' or '\t')) ? throw keys.Wrong(key, "The text has control characters", "write plain text, its lines ended by line feeds")
            : text.EndsWith('\n') ? text : text + "\n";
    }

    public static bool IsInside(string path) => path.TrimEnd('/').Split('/').All(part => part is not ("" or "." or "..")) && !path.Any(char.IsControl);

    private static bool IsBelow(string path, string folder) => path.StartsWith(folder, StringComparison.Ordinal);

    [GeneratedRegex($@"\A{ModePattern}\z")]
    private static partial Regex ModeForm();
}
