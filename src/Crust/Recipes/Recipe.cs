using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Crust.Recipes;

/// <summary>Where a piece of upstream software comes from, and what a system gets of it: data, of which nothing runs. docs/recipes.md describes the file that it is read from.</summary>
internal sealed record Recipe
{
    /// <summary>Lower-case letters, digits and dashes; the file's base name, too.</summary>
    public required string Name { get; init; }

    /// <summary>What the software is, in a few words.</summary>
    public required string Summary { get; init; }

    public required string Homepage { get; init; }

    /// <summary>An SPDX license expression.</summary>
    public required string License { get; init; }

    /// <summary>What a version looks like: matches all of it, or it isn't one.</summary>
    public required Regex VersionForm { get; init; }

    /// <summary>Upstream's name of a version, with the placeholder `{version}`.</summary>
    public required string Tag { get; init; }

    /// <summary>The selections of its content that there are, the default first; empty for a recipe that has only one.</summary>
    public ImmutableArray<RecipeVariant> Variants { get; init; } = [];

    public ImmutableArray<RecipeDownload> Downloads { get; init; } = [];

    public ImmutableArray<RecipeFile> Files { get; init; } = [];

    public ImmutableArray<RecipeLink> Links { get; init; } = [];

    public ImmutableArray<RecipeUnit> Units { get; init; } = [];

    public ImmutableArray<RecipeUser> Users { get; init; } = [];

    public ImmutableArray<RecipeTmpfile> Tmpfiles { get; init; } = [];

    public ImmutableArray<RecipeConfig> Config { get; init; } = [];

    /// <summary>Where upstream says which versions there are; null where the recipe doesn't say it.</summary>
    public RecipeReleases? Releases { get; init; }

    /// <summary>The versions with their SHA-256 sums, the newest first.</summary>
    public ImmutableArray<RecipeVersion> Versions { get; init; } = [];

    /// <summary>Where it was read from.</summary>
    public required string Path { get; init; }
}

/// <summary>A selection of a recipe's content.</summary>
internal sealed record RecipeVariant(string Name, string Summary);

/// <summary>A version with what pins it.</summary>
/// <param name="Version">As upstream writes it, without the tag's prefix.</param>
/// <param name="Sums">SHA-256 sums in lower-case hex by architecture and download.</param>
/// <param name="With">The versions of other recipes that belong to it.</param>
internal sealed record RecipeVersion(string Version, ImmutableDictionary<(Spec.Arch Arch, string Download), string> Sums, ImmutableDictionary<string, string> With);
