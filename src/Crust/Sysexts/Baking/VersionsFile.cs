using System.Collections.Immutable;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Spec;

namespace Crust.Sysexts.Baking;

/// <summary>Which newer versions of upstream's take the place of those that a file lists.</summary>
public enum FollowedVersions
{
    /// <summary>The newest version takes the place of the newest that is listed.</summary>
    Newest,

    /// <summary>Each listed version is replaced by the newest of its own minor version.</summary>
    Minor,

    /// <summary>None.</summary>
    None,
}

/// <summary>What a site publishes: system extensions of recipes in given versions, as `versions.yaml` lists them.</summary>
/// <param name="Path">The file's path.</param>
/// <param name="Url">Where the folder will be served; null if the file doesn't say it.</param>
/// <param name="Pinned">The extensions that also get definitions for each minor version.</param>
internal sealed record VersionsFile(string Path, Uri? Url, ImmutableArray<string> Pinned, ImmutableArray<VersionsEntry> Entries)
{
    public const string DefaultName = "versions.yaml";

    /// <summary>All extensions that are listed, in the file's order.</summary>
    public IEnumerable<BakeOrder> Orders =>
        from entry in Entries
        from version in entry.Versions
        from arch in entry.Archs
        select new BakeOrder(entry.PlanOf(version, arch), new RecipeWish(entry.Recipe, version, arch, RecipeUse.Sysext, entry.Variant), entry.Where);
}

/// <summary>An extension in its versions.</summary>
/// <param name="Recipe">The recipe that it is made from.</param>
/// <param name="Variant">The recipe's variant; null for the default.</param>
/// <param name="Places">Where the versions stand in the file's text, in their order.</param>
/// <param name="Plan">How it is built; without a version.</param>
/// <param name="Where">Where the entry stands: file, line, column, key.</param>
internal sealed record VersionsEntry(string Recipe, string? Variant, ImmutableArray<string> Versions, ImmutableArray<YamlSpan> Places, ImmutableArray<Arch> Archs, FollowedVersions Follow, SysextPlan Plan, string Where)
{
    public SysextPlan PlanOf(string version, Arch arch) => Plan with { Version = version, Arch = arch };
}

/// <summary>One extension that is to be built.</summary>
/// <param name="Plan">How.</param>
/// <param name="Wish">From what.</param>
/// <param name="Where">Who wants it: file, line, column, key.</param>
internal sealed record BakeOrder(SysextPlan Plan, RecipeWish Wish, string Where);
