using Crust.Downloads;
using Crust.Isos;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Recipes.Sources;

/// <summary>Asks upstream which SHA-256 a file has to have.</summary>
internal sealed class UpstreamSums(ChecksumLists lists, ListSignature signatures, Downloader downloader, IsoHash hashes, AptPackages packages, IBuildObserver observer)
{
    /// <summary>The file's entry for the lock file.</summary>
    /// <param name="keyFile">Gives the path of a public key by its fingerprint; null where there is none.</param>
    /// <exception cref="CrustException">The list can't be had, isn't signed as it should be, or doesn't have the file.</exception>
    public async Task<LockEntry> FindAsync(RecipePick pick, RecipeDownload download, Arch arch, Mirrors mirrors, Func<string, string?> keyFile, CancellationToken cancellation)
    {
        if (download.Package is { } package)
        {
            var (at, sum) = await packages.FindAsync(pick, package, arch, cancellation);
            return new LockEntry(pick.Recipe.Name, pick.Version.Version, arch, download.Name, at.AbsoluteUri, sum, LockFile.FromApt);
        }

        var url = pick.UrlOf(download.Url, download, arch);
        var entry = new LockEntry(pick.Recipe.Name, pick.Version.Version, arch, download.Name, url.AbsoluteUri, "", LockFile.FromRecipe);
        if (download.Sums is not { } sums)
        {
            return pick.Version.Sums.TryGetValue((arch, download.Name), out var pin) ? entry with { Sha256 = pin }
                : entry with { Sha256 = await OfTodayAsync(pick, url, mirrors, cancellation), From = LockFile.FromDownload };
        }

        var listUrl = pick.UrlOf(sums, download, arch);
        var list = await ReadAsync(listUrl, download, mirrors, cancellation);
        if (download.Key is { } key)
        {
            var signature = download.Signature is { } signatureUrl ? await lists.GetAsync(mirrors.Of(pick.UrlOf(signatureUrl, download, arch)), cancellation) : null;
            var keys = keyFile(key) ?? throw new CrustException(FailureKind.BadInput, $"The list of checksums of {pick.Recipe.Name} is signed by the key {key}, whose public key isn't here",
                pick.Recipe.Path,
                $"get it from the vendor, compare its fingerprint, and put it into recipes/keys/{key}.asc: gpg --export --armor {key}");
            try
            {
                list = await signatures.CheckAsync(list, signature, keys, key, $"downloads.{download.Name}", ShownUrl.Of(listUrl), cancellation);
            }
            catch (CrustException e) when (e.Kind is FailureKind.BadInput)
            {
                throw new CrustException(e.Kind, e.What, e.Where, $"see that sums:, signature: and key: of {pick.Recipe.Path} belong together, and that {keys} holds that key alone; take key: out only if upstream signs no more", e) { Detail = e.Detail };
            }
        }

        return entry with { Sha256 = Find(ChecksumList.Parse(list), url, listUrl, pick), From = listUrl.AbsoluteUri, Key = download.Key };
    }

    private static string Find(ChecksumList list, Uri url, Uri at, RecipePick pick)
    {
        string[] path = [.. url.Segments.Select(segment => Uri.UnescapeDataString(segment.TrimEnd('/'))).Where(segment => segment.Length > 0)];
        try
        {
            return list.Find(path, ShownUrl.Of(at));
        }
        catch (CrustException e)
        {
            var has = list.NamesLike(path[^1]);
            throw new CrustException(e.Kind, e.What, e.Where, $"see that sums: and url: of {pick.Recipe.Path} belong together for {pick.Version.Version}{(has.Length > 0 ? $"; this list has {has}" : "")}", e);
        }
    }

    private async Task<byte[]> ReadAsync(Uri list, RecipeDownload download, Mirrors mirrors, CancellationToken cancellation)
    {
        var at = mirrors.Of(list);
        // Over plain HTTP, whoever can change a file on its way can change the list as well.
        return at.Scheme == "https" || at.IsLoopback || download.Key is not null ? await lists.GetAsync(at, cancellation)
            : throw new CrustException(FailureKind.BadInput, "The list of checksums would come by plain HTTP and isn't signed, so anyone who can replace a file on its way can replace the list, too", ShownUrl.Of(at),
                "lock where upstream can be reached, or by a mirror with https; to fetch what is locked, any mirror will do");
    }

    private async Task<string> OfTodayAsync(RecipePick pick, Uri url, Mirrors mirrors, CancellationToken cancellation)
    {
        observer.Observe(new BuildEvent.Warned($"nobody publishes a sum of {ShownUrl.Of(url)}: {pick.Label} is locked to the file that comes today"));
        var file = await downloader.GetAsync(url, mirrors.Of(url), RecipeSources.FileNameOf(url), null, cancellation);
        return await hashes.OfAsync(file, cancellation);
    }
}
