using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Reads what a recipe puts where: `files`, `links`, `config`, `tmpfiles`.</summary>
internal static partial class ContentReader
{
    /// <summary>What stands for all of an archive.</summary>
    public const string WholeArchive = "/";

    public static RecipeFile File(YamlMapping keys, ImmutableArray<RecipeDownload> downloads, ImmutableArray<RecipeVariant> variants)
    {
        var from = keys.Required("from");
        var (name, inner) = from.Split(':', 2) is [var first, var rest] ? (first, rest) : (from, "");
        var download = downloads.FirstOrDefault(download => download.Name == name)
            ?? throw keys.Wrong("from", $"There is no download '{name}'", Nearest.Suggest(name, [.. downloads.Select(download => download.Name)]));
        if (download.Archive is null != (inner.Length == 0))
        {
            throw keys.Wrong("from", inner.Length > 0 ? $"'{name}' isn't packed, and has no '{inner}' in it" : $"'{name}' is an archive, and nothing says which of its files is meant",
                inner.Length > 0 ? $"write from: {name}, or archive: in the download" : $"write from: {name}:path/in/it");
        }

        if (inner.Length > 0 && inner != WholeArchive && !RecipeValues.IsInside(inner))
        {
            throw keys.Wrong("from", $"'{inner}' isn't a path inside the archive", "write it without .. and without a slash before it");
        }

        var scope = RecipeValues.Scope(keys, variants);
        var file = new RecipeFile(name, RecipeValues.Template(keys, "from", inner), RecipeValues.Target(keys, "to", scope, mayBeConfig: true), RecipeValues.Mode(keys), scope);
        if (inner.EndsWith('/') != file.Target.EndsWith('/'))
        {
            throw keys.Wrong("to", inner.EndsWith('/') ? "A folder goes to a file's name" : "A file goes to a folder, and nothing says what it is called there",
                "end both from: and to: with a slash, or neither");
        }

        keys.End();
        return file;
    }

    public static RecipeLink Link(YamlMapping keys, ImmutableArray<RecipeVariant> variants)
    {
        var scope = RecipeValues.Scope(keys, variants);
        var link = new RecipeLink(RecipeValues.Target(keys, "at", scope, mayBeConfig: false), keys.Required("to"), scope);
        if (link.To.Any(char.IsControl) || Climbs(link))
        {
            throw keys.Wrong("to", $"'{link.To}' leads out of the target", "write a path in the target, absolute or from the link's folder");
        }

        keys.End();
        return link;
    }

    public static RecipeConfig Config(YamlMapping keys, ImmutableArray<RecipeVariant> variants)
    {
        var scope = RecipeValues.Scope(keys, variants);
        var config = new RecipeConfig(RecipeValues.Target(keys, "at", scope, mayBeConfig: true), RecipeValues.Text(keys, "text"), RecipeValues.Mode(keys) ?? RecipeConfig.Plain, scope);
        if (config.Target.EndsWith('/'))
        {
            throw keys.Wrong("at", "This is a folder's path", "write the file's name behind it");
        }

        keys.End();
        return config;
    }

    public static RecipeTmpfile Tmpfile(YamlMapping keys, ImmutableArray<RecipeVariant> variants)
    {
        var line = keys.Required("line");
        if (!TmpfilesLine().IsMatch(line) || line.Any(char.IsControl))
        {
            throw keys.Wrong("line", "This isn't a line of tmpfiles.d", "write its type and an absolute path, as tmpfiles.d(5) says: d /var/lib/tool 0755 root root -");
        }

        var tmpfile = new RecipeTmpfile(line, RecipeValues.Scope(keys, variants));
        keys.End();
        return tmpfile;
    }

    // Whether a relative link goes up further than there are folders above it.
    private static bool Climbs(RecipeLink link)
    {
        var depth = link.To.StartsWith('/') ? 0 : link.Target.Count(c => c == '/') - 1;
        return link.To.Split('/').Any(part => (depth += part switch { "" or "." => 0, ".." => -1, _ => 1 }) < 0);
    }

    // Types that make things: none that removes or that changes what others have made (tmpfiles.d(5), "Type").
    [GeneratedRegex(@"\A(?:[fdDLpvqQC]\+?|[eczaA])[!\-=~^$]*\s+/\S.*\z")]
    private static partial Regex TmpfilesLine();
}
