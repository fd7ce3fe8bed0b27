using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Recipes.Sources;

/// <summary>A recipe with the version that is meant.</summary>
internal sealed record RecipePick(Recipe Recipe, RecipeVersion Version)
{
    public string Label => $"{Recipe.Name} {Version.Version}";

    /// <summary>The variant that is meant; null for a recipe that has none.</summary>
    /// <param name="name">The variant's name; null for the default.</param>
    /// <exception cref="CrustException">The recipe doesn't have it.</exception>
    public string? VariantOf(string? name) => name is null || Recipe.Variants.Any(variant => variant.Name == name) ? name ?? Recipe.Variants.FirstOrDefault()?.Name
        : throw new CrustException(FailureKind.BadInput, $"The recipe {Recipe.Name} has no variant '{name}'", Recipe.Path,
            Recipe.Variants.IsEmpty ? "leave it out: the recipe has no variants" : Nearest.Suggest(name, [.. Recipe.Variants.Select(variant => variant.Name)]));

    /// <summary>The downloads of which a use takes something.</summary>
    /// <param name="use">The use; null for all.</param>
    /// <param name="variant">The variant, of <see cref="VariantOf"/>; null for all variants where there is no use.</param>
    /// <exception cref="CrustException">There is nothing for the architecture.</exception>
    public ImmutableArray<RecipeDownload> DownloadsFor(Arch arch, RecipeUse? use, string? variant)
    {
        var wanted = Recipe.Files.Where(file => use is not { } of || file.Scope.Has(of, variant)).Select(file => file.Download).ToHashSet();
        var missing = Recipe.Downloads.FirstOrDefault(download => wanted.Contains(download.Name) && !download.Archs.Contains(arch));
        return missing is null ? [.. Recipe.Downloads.Where(download => wanted.Contains(download.Name))]
            : throw new CrustException(FailureKind.BadInput, $"The recipe {Recipe.Name} has no {missing.Name} for {arch.LowerName()}", Recipe.Path,
                $"take {Nearest.Or([.. missing.Archs.Select(one => one.LowerName())])}, or another piece of software");
    }

    public Uri UrlOf(string template, RecipeDownload download, Arch arch) => Placeholders.Url(template, Recipe, download, Version.Version, arch);
}

/// <summary>Which versions of recipes are meant, by the recipes and a lock file.</summary>
internal sealed class RecipePicks(RecipeBook book, LockFile locked)
{
    /// <summary>A recipe with the version that is meant: without one the locked version if there is only one, else the newest that the recipe pins.</summary>
    /// <exception cref="CrustException">There is no such recipe, or it can't have that version.</exception>
    public RecipePick Of(string name, string? version)
    {
        var recipe = book.Get(name);
        version ??= locked.VersionsOf(name) is [var only] ? only : null;
        // A version that the recipe doesn't pin is as good as one that it does, once upstream's sums of it are locked.
        return version is not null && recipe.Versions.All(known => known.Version != version) && IsVersion(recipe, version)
            ? new RecipePick(recipe, new RecipeVersion(version, ImmutableDictionary<(Arch, string), string>.Empty, recipe.Versions[0].With))
            : new RecipePick(recipe, RecipeBook.VersionOf(recipe, version));
    }

    /// <summary>The same with all that belongs to it, each recipe before those that belong to it.</summary>
    /// <exception cref="CrustException">As above, or a recipe belongs to itself.</exception>
    public ImmutableArray<RecipePick> WithDependents(string name, string? version)
    {
        var picks = new List<RecipePick>();
        Add(Of(name, version), []);
        return [.. picks];

        void Add(RecipePick pick, ImmutableArray<string> above)
        {
            if (above.Contains(pick.Recipe.Name))
            {
                throw new CrustException(FailureKind.BadInput, $"The recipe {pick.Recipe.Name} belongs to itself, by {string.Join(", ", above)}", pick.Recipe.Path,
                    "take it out of with: of one of them");
            }

            if (picks.All(other => other.Label != pick.Label))
            {
                picks.Add(pick);
                foreach (var (other, pinned) in pick.Version.With.OrderBy(one => one.Key, StringComparer.Ordinal))
                {
                    Add(Of(other, pinned), above.Add(pick.Recipe.Name));
                }
            }
        }
    }

    /// <summary>Whether a text has the form of a recipe's versions.</summary>
    public static bool IsVersion(Recipe recipe, string version)
    {
        try
        {
            return recipe.VersionForm.IsMatch(version);
        }
        catch (System.Text.RegularExpressions.RegexMatchTimeoutException)
        {
            return false;
        }
    }
}
