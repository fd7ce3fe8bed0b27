using System.Text;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Layers;

/// <summary>
/// A recipe as a layer. What it is made of is known before anything is fetched: by the recipes themselves and the sums of all that they download. A spec's own recipes,
/// its lock file and its mirrors lie beside it.
/// </summary>
internal sealed record RecipeLayer(RecipeBook Book, LockFile Locked, RecipeWish Wish, Mirrors Mirrors)
{
    private const string OwnFolder = "recipes";

    /// <exception cref="CrustException">There is no such recipe, or a file beside the spec is wrong.</exception>
    public static RecipeLayer Of(LayerSpec.Recipe recipe, Arch arch, RecipeUse use)
    {
        var own = Path.Combine(recipe.Folder, OwnFolder);
        var mirrors = Path.Combine(recipe.Folder, Mirrors.DefaultName);
        return new RecipeLayer(
            new RecipeBook(Path.Combine(Folders.BuilderBesideProgram, OwnFolder), Directory.Exists(own) ? own : null),
            LockFile.ReadIfThere(Path.Combine(recipe.Folder, LockFile.DefaultName)),
            new RecipeWish(recipe.Name, recipe.Version, arch, use, recipe.Variant),
            File.Exists(mirrors) ? Mirrors.Read(mirrors) : Mirrors.None);
    }

    /// <summary>The user's own files that it may depend on: recipes and their keys, the lock file, the map of mirrors.</summary>
    public static IEnumerable<string> FilesBeside(LayerSpec.Recipe recipe) => new[] { LockFile.DefaultName, Mirrors.DefaultName }.Select(name => Path.Combine(recipe.Folder, name)).Where(File.Exists)
        .Concat(Path.Combine(recipe.Folder, OwnFolder) is var own && Directory.Exists(own) ? Directory.EnumerateFiles(own, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal) : []);

    /// <summary>All that decides what is put onto the disk.</summary>
    /// <exception cref="CrustException">There is nothing for the architecture, no such version or variant, or a sum isn't known.</exception>
    public string Material()
    {
        var material = new StringBuilder($"{Wish.Arch}\n");
        var picks = new RecipePicks(Book, Locked).WithDependents(Wish.Name, Wish.Version);
        foreach (var pick in picks)
        {
            var variant = pick.VariantOf(pick == picks[0] ? Wish.Variant : null);
            material.Append($"{pick.Label} {variant}\n{UserFile.Read(pick.Recipe.Path, pick.Recipe.Path, "recipe")}\n");
            foreach (var download in pick.DownloadsFor(Wish.Arch, Wish.Use, variant))
            {
                material.Append($"{download.Name} {RecipeSources.SumOf(pick, Wish.Arch, download, Locked)}\n");
            }
        }

        return material.ToString();
    }

    /// <summary>Fetches what isn't here yet, and lays it out.</summary>
    /// <exception cref="CrustException">A file can't be had, or isn't what it has to be.</exception>
    public Task<BuiltRecipe> BuildAsync(RecipeTrees trees, CancellationToken cancellation) => trees.BuildAsync(Book, Locked, Wish, Mirrors, cancellation);
}
