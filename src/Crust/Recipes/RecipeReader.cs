using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Reads recipes, and refuses what couldn't be used: each error names the file with line and column, what is wrong and what to write.</summary>
internal static partial class RecipeReader
{
    /// <summary>What the names of recipes, downloads and variants are written like.</summary>
    public const string WordPattern = "[a-z0-9]+(-[a-z0-9]+)*";

    // A recipe may be somebody else's: its pattern must not run for ever.
    private static readonly TimeSpan MatchTimeout = TimeSpan.FromSeconds(1);

    /// <summary>Reads a recipe.</summary>
    /// <param name="text">Its text.</param>
    /// <param name="path">The file's path, whose base name is the recipe's name.</param>
    /// <exception cref="CrustException">Something in it is wrong (<see cref="FailureKind.BadInput"/>).</exception>
    public static Recipe Read(string text, string path)
    {
        var root = YamlMapping.Parse(text, path, "a recipe");
        var name = root.Required("name");
        if (!IsWord(name) || name != Path.GetFileNameWithoutExtension(path))
        {
            throw root.Wrong("name", $"The recipe's name '{name}' isn't that of its file",
                $"write name: {Path.GetFileNameWithoutExtension(path)}, or rename the file; a name has lower-case letters, digits and dashes");
        }

        var variants = ReadVariants(root);
        var downloads = DownloadReader.Read(root);
        var recipe = new Recipe
        {
            Name = name,
            Summary = root.Required("summary"),
            Homepage = root.Required("homepage"),
            License = root.Required("license"),
            VersionForm = ReadForm(root),
            Tag = root.Text("tag") ?? "v{version}",
            Variants = variants,
            Downloads = downloads,
            Files = [.. root.Mappings("files").Select(file => ContentReader.File(file, downloads, variants))],
            Links = [.. root.Mappings("links").Select(link => ContentReader.Link(link, variants))],
            Config = [.. root.Mappings("config").Select(config => ContentReader.Config(config, variants))],
            Tmpfiles = [.. root.Mappings("tmpfiles").Select(line => ContentReader.Tmpfile(line, variants))],
            Users = UnitReader.Users(root),
            Path = path,
        };
        if (!Placeholders.Has(recipe.Tag, "version"))
        {
            throw root.Wrong("tag", $"The tag '{recipe.Tag}' is the same for all versions", "write {version} where the version stands in it");
        }

        recipe = recipe with { Releases = RecipeReleases.Read(root, recipe.Tag) };
        recipe = recipe with { Units = UnitReader.Units(root, recipe) };
        recipe = recipe with { Versions = VersionReader.Read(root, recipe) };
        root.End();
        return recipe;
    }

    /// <summary>Whether a text is a name as recipes, downloads and variants have them.</summary>
    public static bool IsWord(string text) => Word().IsMatch(text);

    private static Regex ReadForm(YamlMapping root)
    {
        var form = root.Text("versionForm") ?? @"\d+\.\d+\.\d+";
        try
        {
            return new Regex($@"\A(?:{form})\z", RegexOptions.CultureInvariant, MatchTimeout);
        }
        catch (ArgumentException e)
        {
            throw root.Wrong("versionForm", $"The form of versions is no regular expression: {e.Message}", @"write one that matches a whole version, such as \d+\.\d+\.\d+");
        }
    }

    private static ImmutableArray<RecipeVariant> ReadVariants(YamlMapping root)
    {
        if (root.Mapping("variants") is not { } section)
        {
            return [];
        }

        var variants = section.Keys.Select(name => IsWord(name) ? new RecipeVariant(name, section.Required(name))
            : throw section.Wrong(name, $"'{name}' is no name of a variant", "write lower-case letters, digits and dashes")).ToImmutableArray();
        section.End();
        return variants;
    }

    [GeneratedRegex($@"\A{WordPattern}\z")]
    private static partial Regex Word();
}
