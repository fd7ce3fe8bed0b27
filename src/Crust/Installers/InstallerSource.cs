using Crust.Downloads;
using Crust.Isos;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog;

namespace Crust.Installers;

/// <summary>Gets the installer ISO that a spec names, from a path or a URL, and checks it.</summary>
internal sealed class InstallerSource
{
    private const int LongestName = 200;
    private const int DigitsOfName = 8;

    private readonly string _cacheFolder;
    private readonly ExpectedChecksum _expected;
    private readonly IsoHash _hashes;
    private readonly Downloader _downloader;
    private readonly IBuildObserver _observer;

    /// <summary>A source that keeps downloads and checksums in a cache folder.</summary>
    /// <param name="tools">Needs gpgv where a list of checksums is signed.</param>
    public InstallerSource(string cacheFolder, ProxySettings proxies, ToolBox tools, IBuildObserver observer, TimeProvider time, ILogger log)
        : this(cacheFolder, new HttpSource(HttpSource.NewClient(proxies), time, log) { Proxies = proxies }, observer, time, log, tools)
    {
    }

    internal InstallerSource(string cacheFolder, IBuildObserver observer, TimeProvider time, ILogger log)
        : this(cacheFolder, new HttpSource(HttpSource.NewClient(), time, log), observer, time, log)
    {
    }

    internal InstallerSource(string cacheFolder, HttpSource http, IBuildObserver observer, TimeProvider time, ILogger log, ToolBox? tools = null)
    {
        _cacheFolder = cacheFolder;
        _expected = new ExpectedChecksum(new ChecksumLists(http, cacheFolder, observer), new ListSignature(tools ?? new ToolBox(["/usr/bin", "/bin"], log), cacheFolder), observer);
        _observer = observer;
        _hashes = new IsoHash(cacheFolder, observer, log);
        _downloader = new Downloader(http, cacheFolder, _hashes, observer, time);
    }

    /// <summary>The ISO on this host: downloaded if need be, its checksum compared with the spec's, proven to be whole and bootable.</summary>
    /// <param name="spec">Names a path or an http(s) URL.</param>
    /// <param name="cancellation">Ends it; what was downloaded is kept for the next time.</param>
    /// <exception cref="CrustException">It can't be had, isn't the one that the checksum is of, or is no bootable ISO.</exception>
    public async Task<InstallerIso> GetAsync(InstallerSpec spec, CancellationToken cancellation)
    {
        var iso = spec.Iso ?? throw new ArgumentException("The spec names no ISO.", nameof(spec));
        return PathOrUrl.IsUrl(iso, out var url)
            ? await FromUrlAsync(url, spec, cancellation)
            : await FromPathAsync(iso, spec, cancellation);
    }

    /// <summary>What is known of the ISO at once: nothing is fetched, no checksum is computed.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO, as far as that shows.</exception>
    public InstallerGlance Glance(InstallerSpec spec)
    {
        var iso = spec.Iso ?? throw new ArgumentException("The spec names no ISO.", nameof(spec));
        if (!PathOrUrl.IsUrl(iso, out var url))
        {
            return Glance(Path.GetFullPath(iso), iso, BaseNameOf(Path.GetFileName(iso)), null);
        }

        var shown = CheckUrl(url, spec);
        var baseName = BaseNameOf(Uri.UnescapeDataString(url.Segments[^1]));
        var path = DownloadSlot.PathOf(_cacheFolder, url, FileNameOf(url));
        // Without a checksum in the spec, the server has to say whether the file is still the same.
        var promised = Checksum.ValueOf(spec.Sha256);
        return promised is not null && File.Exists(path)
            ? Glance(path, shown, baseName, promised)
            : new InstallerGlance(null, null, baseName) { Promised = promised };
    }

    /// <summary>The family of systems that an ISO installs, if it is on this host and says so; else null.</summary>
    public SeedProfile? ProfileOf(string iso) => ProfileOf(iso, _cacheFolder);

    /// <summary>The family of systems that a spec's installer installs, as far as that is known without fetching anything; null if it isn't.</summary>
    /// <param name="cacheFolder">Where an ISO that is named by a URL may be.</param>
    public static SeedProfile? ProfileOf(InstallerSpec installer, string cacheFolder) => installer.Iso is { } iso ? ProfileOf(iso, cacheFolder) : ReferenceInstaller.Profile;

    /// <summary>The same for whoever needs nothing else of a source.</summary>
    /// <param name="iso">A path or an http(s) URL.</param>
    /// <param name="cacheFolder">Where downloads are kept.</param>
    public static SeedProfile? ProfileOf(string iso, string cacheFolder) =>
        ProfileFinder.Find(PathOrUrl.IsUrl(iso, out var url) ? DownloadSlot.PathOf(cacheFolder, url, FileNameOf(url)) : Path.GetFullPath(iso))?.Profile;

    private InstallerGlance Glance(string path, string source, string baseName, string? expected)
    {
        var facts = IsoInspector.Inspect(path, source);
        try
        {
            var sha256 = _hashes.Recall(path);
            return new InstallerGlance(facts.Size, sha256 is not null && (expected is null || sha256 == expected) ? Describe(facts, path, source, baseName, sha256) : null, baseName);
        }
        catch (IOException)
        {
            return new InstallerGlance(facts.Size, null, baseName);
        }
    }

    private async Task<InstallerIso> FromUrlAsync(Uri url, InstallerSpec spec, CancellationToken cancellation)
    {
        var shown = CheckUrl(url, spec);
        var baseName = BaseNameOf(Uri.UnescapeDataString(url.Segments[^1]));
        var expected = await _expected.FindAsync(spec, PartsOf(url), cancellation);
        var path = await _downloader.GetAsync(url, FileNameOf(url), expected, cancellation);
        if (expected is null)
        {
            _observer.Observe(new BuildEvent.Warned($"{shown} was taken without a checksum, as installer.allowUnverified says"));
        }

        return await DescribeAsync(path, shown, baseName, cancellation);
    }

    // Gives the URL as it may be shown.
    private static string CheckUrl(Uri url, InstallerSpec spec)
    {
        var shown = ShownUrl.Of(url);
        if (url.Scheme is not ("http" or "https"))
        {
            throw new CrustException(FailureKind.BadInput, $"An ISO can't be fetched by {url.Scheme}", shown, "give an http(s) URL, or download it and give its path");
        }

        if (spec.Sha256 is null && !spec.AllowUnverified)
        {
            throw new CrustException(FailureKind.BadInput, "The ISO's URL comes without a checksum, so nobody could tell if the download is the vendor's file", shown,
                "set installer.sha256 (or ISO_SHA256) to its SHA-256 or to the URL of its SHA256SUMS file; or set installer.allowUnverified to take whatever comes");
        }

        return shown;
    }

    private async Task<InstallerIso> FromPathAsync(string iso, InstallerSpec spec, CancellationToken cancellation)
    {
        var installer = await DescribeAsync(Path.GetFullPath(iso), iso, BaseNameOf(Path.GetFileName(iso)), cancellation);
        var expected = await _expected.FindAsync(spec, Path.GetFullPath(iso).Split('/', StringSplitOptions.RemoveEmptyEntries), cancellation);
        return expected is null || expected == installer.Sha256 ? installer : throw Downloader.Mismatch(iso, expected, installer.Sha256);
    }

    private async Task<InstallerIso> DescribeAsync(string path, string source, string baseName, CancellationToken cancellation)
    {
        // Before the checksum: it reads a few sectors, not gigabytes.
        var facts = IsoInspector.Inspect(path, source);
        return Describe(facts, path, source, baseName, await _hashes.OfAsync(path, cancellation));
    }

    private static InstallerIso Describe(IsoFacts facts, string path, string source, string baseName, string sha256) => new()
    {
        Path = path,
        Sha256 = sha256,
        Size = facts.Size,
        VolumeId = facts.VolumeId,
        BootsBios = facts.BootsBios,
        BootsUefi = facts.BootsUefi,
        BaseName = baseName,
        IsReference = false,
        Profile = ProfileFinder.Find(path)?.Profile,
        Source = source,
    };

    /// <summary>An ISO's file name without `.iso`, as it is; of a URL, its last part.</summary>
    internal static string TitleOf(string iso) => WithoutExtension(FileOf(iso));

    /// <summary>An ISO's file name; of a URL, its last part.</summary>
    internal static string FileOf(string iso) => PathOrUrl.IsUrl(iso, out var url) ? Uri.UnescapeDataString(url.Segments[^1]) : Path.GetFileName(iso);

    /// <summary>
    /// What images are called after an ISO: its name without `.iso`, of letters, digits, dots, dashes and underscores. Where that loses letters of
    /// other scripts, or a part of a long name, a few digits of the whole name's SHA-256 keep it apart from others.
    /// </summary>
    internal static string BaseNameOf(string fileName)
    {
        var name = WithoutExtension(fileName);
        var clean = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '-')).Trim('.', '-');

        // A file system takes names of 255 bytes, and images and their companions add to it.
        var kept = clean.Length switch { 0 => "installer", > LongestName => clean[..(LongestName - 1 - DigitsOfName)], _ => clean };
        return name.All(char.IsAscii) && clean.Length <= LongestName ? kept : $"{kept}-{Checksum.OfText(name.Normalize())[..DigitsOfName]}";
    }

    private static string WithoutExtension(string fileName) => fileName.EndsWith(".iso", StringComparison.OrdinalIgnoreCase) ? fileName[..^4] : fileName;

    private static string[] PartsOf(Uri url) =>
        [.. url.Segments.Select(segment => Uri.UnescapeDataString(segment.Trim('/'))).Where((segment, i) => segment.Length > 0 || i == url.Segments.Length - 1)];

    private static string FileNameOf(Uri url) => BaseNameOf(Uri.UnescapeDataString(url.Segments[^1])) + ".iso";
}
