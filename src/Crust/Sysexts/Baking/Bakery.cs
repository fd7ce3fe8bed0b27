using System.Collections.Concurrent;
using System.Collections.Immutable;
using Crust.Downloads;
using Crust.Recipes;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;

namespace Crust.Sysexts.Baking;

/// <param name="Folder">Where the extensions go: a new folder, an earlier run's, or one that was published.</param>
/// <param name="Signer">The PEM files of the private key and the certificate that sign disk images; null for none.</param>
/// <param name="Keys">A file with the public keys that sign the folder's list of checksums; null if that isn't checked.</param>
/// <param name="IsPartial">Whether the folder has the published lists without all that they list.</param>
/// <param name="AtOnce">How many extensions are built side by side.</param>
internal sealed record BakeRequest(VersionsFile Versions, RecipeBook Book, LockFile Locked, Mirrors Mirrors, string Folder, (string Key, string Certificate)? Signer, string? Keys, bool IsPartial, int AtOnce)
{
    /// <summary>Where the last publication is that this run goes on from; null to go on from what is in the folder.</summary>
    public Uri? Continue { get; init; }

    /// <summary>Whether nothing may be published there yet.</summary>
    public bool MayBeFirst { get; init; }
}

/// <param name="Built">What was built, or fetched if that was all that was asked for; in the file's order.</param>
/// <param name="Kept">What was built before by the same key.</param>
/// <param name="Failed">What couldn't be built, and why.</param>
/// <param name="Warnings">What the checks object to, and no error.</param>
/// <param name="List">The folder's list of checksums as it was published; null if there is none.</param>
internal sealed record BakeResult(ImmutableArray<BakedFile> Built, ImmutableArray<BakedFile> Kept, ImmutableArray<(string FileName, CrustException Error)> Failed, ImmutableArray<string> Warnings, string? List);

/// <summary>Builds what a site publishes: only what has changed since it was built, so that a run without a change does nothing. One that fails doesn't keep the others from being built.</summary>
/// <param name="signatures">Checks who signed what was published.</param>
internal sealed class Bakery(RecipeSources sources, RecipeTrees trees, SysextBuilder builder, ListSignature signatures, Publication publication, IBuildObserver observer)
{
    /// <summary>Brings what would be built into this machine's cache, so that the build itself needs no network.</summary>
    /// <exception cref="CrustException">What is published can't be trusted.</exception>
    public Task<BakeResult> FetchAsync(BakeRequest request, CancellationToken cancellation) => RunAsync(request, async (due, token) =>
    {
        var (order, key, picks) = due;
        var files = await sources.FetchAsync(request.Locked, picks, [order.Wish.Arch], order.Wish.Use, order.Wish.Variant, request.Mirrors, token);
        return (new BakedFile(order.Plan.FileName, key, "", SourcesOf(files)), []);
    }, null, cancellation);

    /// <summary>Builds what isn't there yet by its key.</summary>
    /// <exception cref="CrustException">What is published can't be trusted, or the folder can't be written.</exception>
    public Task<BakeResult> BuildAsync(BakeRequest request, CancellationToken cancellation) => RunAsync(request, async (due, token) =>
    {
        var (order, key, _) = due;
        observer.Observe(new BuildEvent.Progressed(Stage.Formats, null, null, $"building {order.Plan.FileName}"));
        var recipe = await trees.BuildAsync(request.Book, request.Locked, order.Wish, request.Mirrors, token);
        var built = await builder.BuildAsync(order.Plan with { Signer = order.Plan.Format is SysextFormat.Ddi ? request.Signer : null }, SysextContent.Of(recipe), new SignSpec(), request.Folder, token);
        return (new BakedFile(order.Plan.FileName, key, built.Sha256, SourcesOf(recipe.Sources)), [.. built.Warnings.Select(warning => warning.ToLine())]);
    }, request.Folder, cancellation);

    /// <summary>The result of a run that has nothing to do but to write the index.</summary>
    public static BakeResult Nothing(BakeRequest request) =>
        new([], [], [], [], Path.Combine(request.Folder, SysextIndex.ListName) is var list && File.Exists(list) ? list : null);

    /// <param name="folder">Where the list of what was built is kept up to date; null if nothing is built.</param>
    private async Task<BakeResult> RunAsync(
        BakeRequest request, Func<Due, CancellationToken, Task<(BakedFile File, ImmutableArray<string> Warnings)>> work, string? folder, CancellationToken cancellation)
    {
        var orders = request.Versions.Orders.ToList();
        var wanted = orders.Select(order => order.Plan.FileName).ToHashSet();
        if (request.Continue is { } url)
        {
            await publication.FetchListsAsync(url, request.Folder, request.MayBeFirst, cancellation);
        }

        var published = await PublishedFolder.ReadAsync(request.Folder, request.Keys, request.IsPartial, signatures, wanted.Contains, cancellation);
        if (request.Continue is { } from && !request.IsPartial)
        {
            await publication.FetchFilesAsync(from, request.Folder, published.Listed, cancellation);
        }

        var before = BakedList.ReadIfThere(request.Folder);
        var failed = new ConcurrentDictionary<string, CrustException>();
        var (kept, due) = (new List<BakedFile>(), new List<Due>());
        var recipes = new RecipePicks(request.Book, request.Locked);
        foreach (var order in orders)
        {
            try
            {
                var (key, picks) = BakeKey.Of(order, recipes, request.Locked, order.Plan.Format is SysextFormat.Ddi ? request.Signer?.Certificate : null);
                if (before.Find(order.Plan.FileName) is { } known && known.Key == key && await published.HasAsync(known, cancellation))
                {
                    kept.Add(known);
                }
                else
                {
                    due.Add(new Due(order, key, picks));
                }
            }
            catch (CrustException e)
            {
                failed[order.Plan.FileName] = Of(order, e);
            }
        }

        var (built, warnings) = (new ConcurrentDictionary<string, BakedFile>(), new ConcurrentQueue<string>());
        using var turn = new SemaphoreSlim(1);
        var after = before.Where(name => wanted.Contains(name) || published.Names(name));
        await Parallel.ForEachAsync(due, new ParallelOptions { MaxDegreeOfParallelism = request.AtOnce, CancellationToken = cancellation }, async (one, token) =>
        {
            try
            {
                var (file, says) = await work(one, token);
                built[file.FileName] = file;
                foreach (var warning in says)
                {
                    warnings.Enqueue(warning);
                }

                if (folder is not null)
                {
                    // After each of them: a run that is ended goes on with the next one.
                    await turn.WaitAsync(token);
                    try
                    {
                        after = after.With(file);
                        after.Write(folder);
                    }
                    finally
                    {
                        turn.Release();
                    }
                }
            }
            catch (CrustException e)
            {
                failed[one.Order.Plan.FileName] = Of(one.Order, e);
            }
        });
        return new BakeResult([.. orders.Select(order => built.GetValueOrDefault(order.Plan.FileName)).OfType<BakedFile>()], [.. kept],
            [.. orders.Where(order => failed.ContainsKey(order.Plan.FileName)).Select(order => (order.Plan.FileName, failed[order.Plan.FileName]))], [.. warnings.Order(StringComparer.Ordinal)], published.List);
    }

    private static ImmutableArray<BakedSource> SourcesOf(ImmutableArray<FetchedDownload> files) =>
        [.. files.Select(file => new BakedSource(file.Pick.Recipe.Name, file.Pick.Version.Version, file.Url.AbsoluteUri, file.Sha256))];

    // Which of the file's entries it is about.
    private static CrustException Of(BakeOrder order, CrustException e) => new(e.Kind, $"{order.Plan.FileName} isn't built: {e.What}", $"{order.Where}; {e.Where}", e.Remedy, e) { Detail = e.Detail };

    /// <summary>What has to be built.</summary>
    private sealed record Due(BakeOrder Order, string Key, IReadOnlyList<RecipePick> Picks);
}
