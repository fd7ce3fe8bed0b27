using Crust.Isos;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog;

namespace Crust.Downloads;

/// <summary>A file on this host that a spec names, proven to be the right one.</summary>
internal sealed record FetchedFile(string Path, string Sha256);

/// <summary>What is known of such a file at once.</summary>
/// <param name="Path">Where it is on this host; null if it has to be downloaded, or its server has to be asked whether it is still the same.</param>
/// <param name="Sha256">Its SHA-256, if it was computed before and is the one that the spec asks for; null if that isn't known.</param>
/// <param name="Promised">The SHA-256 that a file which isn't here must have; null if the spec doesn't say it.</param>
internal sealed record FileGlance(string? Path, string? Sha256, string? Promised);

/// <summary>Gets the file that a spec names, from a path or a URL, and checks it against its checksum and signature.</summary>
internal sealed class SourceFetcher
{
    private readonly string _cacheFolder;
    private readonly ExpectedChecksum _expected;
    private readonly IsoHash _hashes;
    private readonly Downloader _downloader;
    private readonly IBuildObserver _observer;
    private readonly Stage _stage;

    /// <param name="tools">Needs gpgv where something is signed.</param>
    /// <param name="stage">The stage that its progress belongs to.</param>
    public SourceFetcher(string cacheFolder, HttpSource http, ToolBox tools, Stage stage, IBuildObserver observer, TimeProvider time, ILogger log)
    {
        _cacheFolder = cacheFolder;
        _expected = new ExpectedChecksum(new ChecksumLists(http, cacheFolder, observer), new ListSignature(tools, cacheFolder), observer);
        _observer = observer;
        _stage = stage;
        _hashes = new IsoHash(cacheFolder, observer, log) { Stage = stage };
        _downloader = new Downloader(http, cacheFolder, _hashes, observer, time) { Stage = stage };
    }

    /// <param name="nameInCache">What a download is called there.</param>
    /// <param name="inspect">Given the file's path and its source for people, before all of it is read: throws if it isn't what it should be.</param>
    /// <param name="cancellation">Ends it; what was downloaded is kept for the next time.</param>
    /// <exception cref="CrustException">It can't be had, or isn't the one that its checksum or signature is of.</exception>
    public async Task<FetchedFile> GetAsync(SourceFile file, string nameInCache, Action<string, string> inspect, CancellationToken cancellation)
    {
        var fetched = PathOrUrl.IsUrl(file.Source, out var url)
            ? await FromUrlAsync(file, url, nameInCache, inspect, cancellation)
            : await FromPathAsync(file, inspect, cancellation);
        await _expected.CheckSignatureAsync(file, fetched.Path, cancellation);
        return fetched;
    }

    /// <summary>What is known of the file at once: nothing is fetched, no checksum is computed.</summary>
    /// <exception cref="CrustException">It can't be had, as far as that shows.</exception>
    public FileGlance Glance(SourceFile file, string nameInCache)
    {
        if (!PathOrUrl.IsUrl(file.Source, out var url))
        {
            var full = Path.GetFullPath(file.Source);
            return new FileGlance(full, Recall(full), null);
        }

        CheckUrl(file, url);
        var path = PathOf(url, nameInCache);
        // Without a checksum in the spec, the server has to say whether the file is still the same.
        var promised = Checksum.ValueOf(file.Sha256);
        return promised is null || !File.Exists(path) ? new FileGlance(null, null, promised)
            : new FileGlance(path, Recall(path) is { } sum && sum == promised ? sum : null, promised);
    }

    /// <summary>Where a URL's download is, or would be.</summary>
    public string PathOf(Uri url, string nameInCache) => DownloadSlot.PathOf(_cacheFolder, url, nameInCache);

    private string? Recall(string path)
    {
        try
        {
            return _hashes.Recall(path);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task<FetchedFile> FromUrlAsync(SourceFile file, Uri url, string nameInCache, Action<string, string> inspect, CancellationToken cancellation)
    {
        CheckUrl(file, url);
        var expected = await _expected.FindAsync(file, PartsOf(url), cancellation);
        var path = await _downloader.GetAsync(url, nameInCache, expected, cancellation);
        if (expected is null && file.Signature is null)
        {
            _observer.Observe(new BuildEvent.Warned($"{file.Shown} was taken without a checksum, as {file.Section}.allowUnverified says"));
        }

        return await ReadAsync(path, file.Shown, inspect, cancellation);
    }

    private static void CheckUrl(SourceFile file, Uri url)
    {
        if (url.Scheme is not ("http" or "https"))
        {
            throw new CrustException(FailureKind.BadInput, $"An {file.Noun} can't be fetched by {url.Scheme}", file.Shown, "give an http(s) URL, or download it and give its path");
        }

        if (file is { Sha256: null, Signature: null, AllowUnverified: false })
        {
            throw new CrustException(FailureKind.BadInput, $"The {file.Noun}'s URL comes without a checksum, so nobody could tell if the download is the vendor's file", file.Shown,
                $"set {file.Section}.sha256 (or {(file.Section == "base" ? "BASE_SHA256" : "ISO_SHA256")}) to its SHA-256 or to the URL of its SHA256SUMS file; or set {file.Section}.allowUnverified "
                    + "to take whatever comes");
        }
    }

    private async Task<FetchedFile> FromPathAsync(SourceFile file, Action<string, string> inspect, CancellationToken cancellation)
    {
        var path = Path.GetFullPath(file.Source);
        var fetched = await ReadAsync(path, file.Source, inspect, cancellation);
        var expected = await _expected.FindAsync(file, path.Split('/', StringSplitOptions.RemoveEmptyEntries), cancellation);
        return expected is null || expected == fetched.Sha256 ? fetched : throw Downloader.Mismatch(file.Source, expected, fetched.Sha256, _stage);
    }

    private async Task<FetchedFile> ReadAsync(string path, string shown, Action<string, string> inspect, CancellationToken cancellation)
    {
        // Before the checksum: it reads a few sectors, not gigabytes.
        inspect(path, shown);
        return new FetchedFile(path, await _hashes.OfAsync(path, cancellation));
    }

    private static string[] PartsOf(Uri url) =>
        [.. url.Segments.Select(segment => Uri.UnescapeDataString(segment.Trim('/'))).Where((segment, i) => segment.Length > 0 || i == url.Segments.Length - 1)];
}
