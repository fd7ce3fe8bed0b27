using System.Collections.Immutable;
using Crust.Recipes;
using Crust.Recipes.Sources;

namespace Crust.Sysexts.Baking;

/// <param name="Names">The recipes to ask for; empty for all that are used.</param>
/// <param name="Versions">The list of what is published; null where there is none.</param>
internal sealed record ProposalRequest(ImmutableArray<string> Names, VersionsFile? Versions, RecipeBook Book, LockFile Locked, Mirrors Mirrors);

/// <summary>A newer version that takes the place of another one.</summary>
/// <param name="Pick">The recipe in the new version.</param>
/// <param name="From">The version that it replaces.</param>
/// <param name="Entries">Its files with upstream's sums.</param>
internal sealed record Proposal(RecipePick Pick, string From, ImmutableArray<LockEntry> Entries)
{
    public string Recipe => Pick.Recipe.Name;

    public string To => Pick.Version.Version;
}

/// <param name="Files">The files that change, with their texts.</param>
/// <param name="Proposals">What has a newer version.</param>
/// <param name="Skipped">What isn't proposed, and why: a recipe and a sentence.</param>
/// <param name="Failed">What couldn't be asked, or can't be trusted.</param>
internal sealed record ProposedChanges(
    ImmutableArray<(string Path, string Text)> Files, ImmutableArray<Proposal> Proposals, ImmutableArray<(string Recipe, string Why)> Skipped, ImmutableArray<(string Recipe, CrustException Error)> Failed);
