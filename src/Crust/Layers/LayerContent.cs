using Crust.Disks;
using Crust.Recipes.Building;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>Gets what layers bring: what is here already, and what has to be fetched or built.</summary>
/// <param name="recipes">Fetches and lays out what recipes name.</param>
/// <param name="sysexts">Builds and fetches extensions.</param>
internal sealed class LayerContent(RecipeTrees recipes, SysextMaker sysexts, IBuildObserver observer)
{
    /// <summary>Gives the files; none for a layer that brings no files.</summary>
    /// <param name="scratch">A folder that the tree reads from as long as it is used.</param>
    /// <exception cref="CrustException">It can't be fetched or built.</exception>
    public async Task<(FileTree? Tree, LayerFacts Facts)> OfAsync(Layer layer, string scratch, CancellationToken cancellation)
    {
        if (layer.Sysext is { } sysext)
        {
            observer.Observe(new BuildEvent.Progressed(Stage.Layers, null, 0, $"{layer.Title}: getting the extension"));
            var made = await sysexts.MakeAsync(sysext, scratch, cancellation);
            return (made.Tree, layer.Facts with { Sha256 = made.Sha256 });
        }

        return (layer.Recipe is { } recipe ? (await recipe.BuildAsync(recipes, cancellation)).Tree : layer.Tree, layer.Facts);
    }
}
