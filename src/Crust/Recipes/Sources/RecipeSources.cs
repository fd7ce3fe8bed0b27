using System.Collections.Concurrent;
using System.Collections.Immutable;
using Crust.Downloads;
using Crust.Isos;
using Crust.Spec;
using Crust.Tools;
using Serilog;

namespace Crust.Recipes.Sources;

/// <summary>A file of upstream's in the cache.</summary>
/// <param name="Path">Where it is on this host.</param>
internal sealed record FetchedDownload(RecipePick Pick, Arch Arch, RecipeDownload Download, Uri Url, string Sha256, string Path);

/// <summary>Locks upstream's files by their sums, and fetches them.</summary>
internal sealed class RecipeSources
{
    private const int AtOnce = 4;
    private const int LongestName = 200;

    private readonly Downloader _downloader;
    private readonly UpstreamSums _sums;
    private readonly UpstreamReleases _releases;

    /// <param name="packages">Where Debian packages are.</param>
    /// <param name="tools">Needs gpgv where a list of checksums is signed.</param>
    public RecipeSources(string cacheFolder, HttpSource http, ToolBox tools, AptPackages packages, IBuildObserver observer, TimeProvider time, ILogger log)
    {
        var hashes = new IsoHash(cacheFolder, observer, log);
        _downloader = new Downloader(http, cacheFolder, hashes, observer, time) { Stage = Stage.Recipes, OnMismatch = Mismatch };
        _releases = new UpstreamReleases(http, packages);
        _sums = new UpstreamSums(new ChecksumLists(http, cacheFolder, observer), new ListSignature(tools, cacheFolder), _downloader, hashes, packages, observer);
    }

    /// <summary>The lock file with the entries of recipes, from upstream's own lists.</summary>
    /// <param name="archs">The architectures; empty for all for which the recipes have something.</param>
    /// <exception cref="CrustException">Upstream's sum can't be had or trusted, or is another one than is pinned or locked.</exception>
    public async Task<LockFile> LockAsync(RecipeBook book, LockFile locked, IEnumerable<RecipePick> picks, IReadOnlyCollection<Arch> archs, Mirrors mirrors, CancellationToken cancellation)
    {
        var entries = new ConcurrentBag<LockEntry>();
        await EachAsync(Wanted(picks, archs, null, null), async (wanted, token) =>
        {
            var entry = await _sums.FindAsync(wanted.Pick, wanted.Download, wanted.Arch, mirrors, book.KeyFile, token);
            Check(wanted, entry, locked);
            entries.Add(entry);
        }, cancellation);
        return locked.With(entries);
    }

    /// <summary>Upstream's versions of a recipe, the newest first.</summary>
    /// <exception cref="CrustException">The recipe doesn't say where they are listed, or they can't be had.</exception>
    public Task<ImmutableArray<string>> ReleasesOfAsync(Recipe recipe, Mirrors mirrors, CancellationToken cancellation) => _releases.FindAsync(recipe, mirrors, cancellation);

    /// <summary>Brings the files of recipes into the cache, unless they are there.</summary>
    /// <param name="archs">The architectures; empty for all for which the recipes have something.</param>
    /// <param name="use">Only what this use needs; null for all.</param>
    /// <param name="variant">The first recipe's variant; null for its default.</param>
    /// <exception cref="CrustException">A file has no sum, can't be had, or isn't the one that the sum is of.</exception>
    public async Task<ImmutableArray<FetchedDownload>> FetchAsync(
        LockFile locked, IReadOnlyList<RecipePick> picks, IReadOnlyCollection<Arch> archs, RecipeUse? use, string? variant, Mirrors mirrors, CancellationToken cancellation)
    {
        // All that can be said without a network is said before the first byte is fetched.
        var wanted = Wanted(picks, archs, use, variant).Select(one => (one, Sum: SumOf(one.Pick, one.Arch, one.Download, locked))).ToList();
        var fetched = new ConcurrentBag<FetchedDownload>();
        await EachAsync(wanted, async (one, token) =>
        {
            var ((pick, arch, download), sum) = one;
            // A package's place is that of the lock file, without which there is no sum of it.
            var url = download.Package is null ? pick.UrlOf(download.Url, download, arch) : new Uri(locked.Find(pick.Recipe.Name, pick.Version.Version, arch, download.Name)!.Url);
            fetched.Add(new FetchedDownload(pick, arch, download, url, sum, await _downloader.GetAsync(url, mirrors.Of(url), FileNameOf(url), sum, token)));
        }, cancellation);
        return [.. wanted.Select(one => fetched.First(file => (file.Pick, file.Arch, file.Download) == (one.one.Pick, one.one.Arch, one.one.Download)))];
    }

    /// <summary>The SHA-256 that a file has to have.</summary>
    /// <exception cref="CrustException">Neither the recipe nor the lock file has one, or they contradict each other.</exception>
    public static string SumOf(RecipePick pick, Arch arch, RecipeDownload download, LockFile locked)
    {
        var entry = locked.Find(pick.Recipe.Name, pick.Version.Version, arch, download.Name);
        var pin = pick.Version.Sums.GetValueOrDefault((arch, download.Name));
        return pin is not null && entry is not null && entry.Sha256 != pin
            ? throw new CrustException(FailureKind.BadInput, $"The lock file has another sum of {download.Name} of {pick.Label} for {arch.LowerName()} ({entry.Sha256}) than the recipe pins ({pin})", $"{locked.Path}; {pick.Recipe.Path}",
                "find out which of them is right by upstream's own list; remove the entry of the lock file, and lock it again")
            : pin ?? entry?.Sha256 ?? throw new CrustException(FailureKind.BadInput, $"No sum of {download.Name} of {pick.Label} for {arch.LowerName()} is known", $"{pick.Recipe.Path}; {locked.Path}",
                $"take it from upstream's list once, where there is a network: crust recipe lock {pick.Recipe.Name}@{pick.Version.Version}");
    }

    /// <summary>What a file is called in the cache.</summary>
    public static string FileNameOf(Uri url)
    {
        var name = string.Concat(Uri.UnescapeDataString(url.Segments[^1]).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' or '+' ? c : '_')).TrimStart('.');
        return name.Length == 0 ? "file" : name[..Math.Min(name.Length, LongestName)];
    }

    private static void Check((RecipePick Pick, Arch Arch, RecipeDownload Download) wanted, LockEntry entry, LockFile locked)
    {
        var (pick, arch, download) = wanted;
        if (pick.Version.Sums.TryGetValue((arch, download.Name), out var pin) && pin != entry.Sha256)
        {
            throw new CrustException(FailureKind.BadInput, $"Upstream's list has another sum of {download.Name} of {pick.Label} for {arch.LowerName()} ({entry.Sha256}) than the recipe pins ({pin})", entry.From,
                $"don't take it unseen: ask upstream why the release was made anew; then pin its sum in a recipe of your own, recipes/{pick.Recipe.Name}.yaml");
        }

        if (locked.Find(pick.Recipe.Name, pick.Version.Version, arch, download.Name) is { } earlier && earlier.Sha256 != entry.Sha256)
        {
            throw new CrustException(FailureKind.BadInput, $"{pick.Label} has moved: {download.Name} for {arch.LowerName()} has the sum {entry.Sha256} now, and had {earlier.Sha256} when it was locked", $"{locked.Path}; {entry.From}",
                "don't take it unseen: ask upstream why the same version has other files; then remove the entry of the lock file, and lock it again");
        }
    }

    private static IEnumerable<(RecipePick Pick, Arch Arch, RecipeDownload Download)> Wanted(IEnumerable<RecipePick> picks, IReadOnlyCollection<Arch> archs, RecipeUse? use, string? variant) =>
        from one in picks.Select((pick, i) => (pick, variant: use is null ? null : pick.VariantOf(i == 0 ? variant : null)))
        from arch in archs.Count > 0 ? archs : [.. Enum.GetValues<Arch>().Where(arch => one.pick.Recipe.Downloads.Any(download => download.Archs.Contains(arch)))]
        from download in archs.Count > 0 || use is not null ? one.pick.DownloadsFor(arch, use, one.variant) : [.. one.pick.Recipe.Downloads.Where(download => download.Archs.Contains(arch))]
        select (one.pick, arch, download);

    private static Task EachAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, ValueTask> work, CancellationToken cancellation) =>
        Parallel.ForEachAsync(items, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, work);

    private static CrustException Mismatch(string where, string expected, string actual) => new(FailureKind.BadInput,
        $"The file isn't the one that its sum is of: expected SHA-256 {expected}, it has {actual}", where,
        "compare the sum with upstream's own list: crust recipe lock; if they agree, the file was damaged or replaced on its way, or the mirror has another one");
}
