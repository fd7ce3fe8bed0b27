using System.Collections.Immutable;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Trees;

namespace Crust.Recipes.Building;

/// <summary>What is wanted of a recipe.</summary>
/// <param name="Version">The version; null for the locked one, or the newest that the recipe pins.</param>
/// <param name="Variant">The variant; null for the default.</param>
internal sealed record RecipeWish(string Name, string? Version, Arch Arch, RecipeUse Use, string? Variant = null);

/// <summary>A recipe's content with that of the recipes that belong to it.</summary>
/// <param name="Picks">The recipes with their versions, the wanted one first.</param>
/// <param name="Sources">The files of upstream's that it is made of.</param>
internal sealed record BuiltRecipe(FileTree Tree, ImmutableArray<RecipePick> Picks, ImmutableArray<FetchedDownload> Sources);

/// <summary>Upstream software as trees: fetched, unpacked and laid out.</summary>
internal sealed class RecipeTrees(RecipeSources sources, RecipeArchives archives)
{
    /// <summary>Builds a recipe's tree with all that belongs to it.</summary>
    /// <exception cref="CrustException">There is no such recipe, version, variant or architecture; a file can't be had or isn't what it has to be; two recipes have the same path.</exception>
    public async Task<BuiltRecipe> BuildAsync(RecipeBook book, LockFile locked, RecipeWish wish, Mirrors mirrors, CancellationToken cancellation)
    {
        var picks = new RecipePicks(book, locked).WithDependents(wish.Name, wish.Version);
        var fetched = await sources.FetchAsync(locked, picks, [wish.Arch], wish.Use, wish.Variant, mirrors, cancellation);
        var tree = FileTree.Empty;
        foreach (var pick in picks)
        {
            var files = new Dictionary<string, (string Path, FileTree? Content)>();
            foreach (var file in fetched.Where(file => file.Pick == pick))
            {
                files[file.Download.Name] = (file.Path, file.Download.Archive is { } kind ? await archives.OpenAsync(file.Path, file.Sha256, kind, $"{pick.Label}: {file.Url.AbsoluteUri}",
                    cancellation) : null);
            }

            var one = new RecipeTree(pick, wish.Arch, wish.Use, pick.VariantOf(pick == picks[0] ? wish.Variant : null), files).Build();
            if (one.Entries.FirstOrDefault(entry => entry.Kind is not EntryKind.Folder && tree.Find(entry.Path) is not null) is { } twice)
            {
                throw new CrustException(FailureKind.BadInput, $"{pick.Label} and another recipe of {picks[0].Label} both have /{twice.Path}", pick.Recipe.Path,
                    "take one of them out of with: or files:, or choose another variant");
            }

            tree = one.Over(tree);
        }

        return new BuiltRecipe(tree, picks, fetched);
    }
}
