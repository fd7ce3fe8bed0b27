using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>The recipes that Crust brings, and a user's own, which win over those of the same name.</summary>
/// <param name="shipped">The folder of Crust's own.</param>
/// <param name="own">The user's folder; null for none.</param>
internal sealed class RecipeBook(string shipped, string? own)
{
    private const string Extension = ".yaml";

    private static readonly ImmutableArray<string> KeyExtensions = [".asc", ".gpg"];

    /// <summary>The names of all recipes, in ordinal order.</summary>
    /// <exception cref="CrustException">The user's folder can't be read.</exception>
    public ImmutableArray<string> Names => [.. new[] { shipped, own }.OfType<string>().SelectMany(NamesIn).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Reads a recipe.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="CrustException">There is none of that name, or it is wrong.</exception>
    public Recipe Get(string name)
    {
        var path = new[] { own, shipped }.OfType<string>().Select(folder => Path.Combine(folder, name + Extension)).FirstOrDefault(File.Exists);
        return path is not null && Path.GetFileName(name) == name
            ? RecipeReader.Read(UserFile.Read(path, path, "recipe"), path)
            : throw new CrustException(FailureKind.BadInput, $"There is no recipe '{name}'", own is null ? "recipe" : $"recipe; {own}", Nearest.Suggest(name, Names));
    }

    /// <summary>The names of the user's own recipes.</summary>
    /// <exception cref="CrustException">The folder can't be read.</exception>
    public ImmutableArray<string> OwnNames => own is null ? [] : [.. NamesIn(own).Order(StringComparer.Ordinal)];

    /// <summary>Whether a recipe is the user's own.</summary>
    public bool IsOwn(Recipe recipe) => own is not null && Path.GetDirectoryName(recipe.Path) == own;

    /// <summary>The file of a public key that signs lists of checksums, `keys/FINGERPRINT.asc` or `.gpg` in one of the folders; null if there is none.</summary>
    public string? KeyFile(string fingerprint) =>
        new[] { own, shipped }.OfType<string>().SelectMany(folder => KeyExtensions.Select(extension => Path.Combine(folder, "keys", fingerprint + extension))).FirstOrDefault(File.Exists);

    /// <summary>A recipe's version.</summary>
    /// <param name="recipe">The recipe.</param>
    /// <param name="version">The version; null for the newest that the recipe pins.</param>
    /// <exception cref="CrustException">The recipe doesn't have it.</exception>
    public static RecipeVersion VersionOf(Recipe recipe, string? version) => version is null ? recipe.Versions[0]
        : recipe.Versions.FirstOrDefault(known => known.Version == version)
        ?? throw new CrustException(FailureKind.BadInput, $"The recipe {recipe.Name} doesn't pin version {version}", recipe.Path,
            recipe.VersionForm.IsMatch(version) ? $"take one of {string.Join(", ", recipe.Versions.Select(known => known.Version))}, or add it with its sums" : Nearest.Suggest(version,
                [.. recipe.Versions.Select(known => known.Version)]));

    private static IEnumerable<string> NamesIn(string folder)
    {
        try
        {
            return Directory.EnumerateFiles(folder, "*" + Extension).Select(path => Path.GetFileNameWithoutExtension(path)).ToList();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.BadInput, $"The folder of recipes can't be read: {e.Message}", folder, "name a folder with recipes, one .yaml file each", e);
        }
    }
}
