using Crust.Disks;
using Crust.Downloads;
using Crust.Isos;
using Crust.Spec;
using Crust.Tools;
using Serilog;

namespace Crust.Installers;

/// <summary>Gets the installer ISO that a spec names, from a path or a URL, and checks it.</summary>
internal sealed class InstallerSource
{
    private readonly string _cacheFolder;
    private readonly SourceFetcher _fetcher;

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
        _fetcher = new SourceFetcher(cacheFolder, http, tools ?? new ToolBox(["/usr/bin", "/bin"], log), Stage.Installer, observer, time, log);
    }

    /// <summary>The ISO on this host: downloaded if need be, its checksum compared with the spec's, proven to be whole and bootable.</summary>
    /// <param name="spec">Names a path or an http(s) URL.</param>
    /// <param name="cancellation">Ends it; what was downloaded is kept for the next time.</param>
    /// <exception cref="CrustException">It can't be had, isn't the one that the checksum is of, or is no bootable ISO.</exception>
    public async Task<InstallerIso> GetAsync(InstallerSpec spec, CancellationToken cancellation)
    {
        var file = FileOf(spec);
        IsoFacts? facts = null;
        var fetched = await _fetcher.GetAsync(file, NameInCache(file), (path, shown) => facts = IsoInspector.Inspect(path, shown), cancellation);
        return Describe(facts!, fetched.Path, file, fetched.Sha256);
    }

    /// <summary>What is known of the ISO at once: nothing is fetched, no checksum is computed.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO, as far as that shows.</exception>
    public SourceGlance Glance(InstallerSpec spec)
    {
        var file = FileOf(spec);
        var glance = _fetcher.Glance(file, NameInCache(file));
        if (glance.Path is not { } path)
        {
            return new SourceGlance(null, null, NameOf(file)) { Promised = glance.Promised };
        }

        var facts = IsoInspector.Inspect(path, file.Shown);
        return new SourceGlance(facts.Size, glance.Sha256 is { } sha256 ? Describe(facts, path, file, sha256) : null, NameOf(file));
    }

    /// <summary>The family of systems that an ISO installs, if it is on this host and says so; else null.</summary>
    public SeedProfile? ProfileOf(string iso) => ProfileOf(iso, _cacheFolder);

    /// <summary>The family of systems that a spec's installer installs, as far as that is known without fetching anything; null if it isn't.</summary>
    /// <param name="cacheFolder">Where an ISO that is named by a URL may be.</param>
    public static SeedProfile? ProfileOf(InstallerSpec installer, string cacheFolder) => installer.Iso is { } iso ? ProfileOf(iso, cacheFolder)
        : installer.Built is { HasBase: true } built ? ProfileOfMade(built) : ReferenceInstaller.Profile;

    /// <summary>The family of an installer that isn't made yet, as far as its spec says it.</summary>
    internal static SeedProfile ProfileOfMade(BuildSpec made) => InstallerRules.IsOfDebian(made) ? SeedProfile.Debian : made.Seed.Profile ?? SeedProfile.Kairos;

    /// <summary>The same for whoever needs nothing else of a source.</summary>
    /// <param name="iso">A path or an http(s) URL.</param>
    /// <param name="cacheFolder">Where downloads are kept.</param>
    public static SeedProfile? ProfileOf(string iso, string cacheFolder) =>
        ProfileFinder.Find(PathOrUrl.IsUrl(iso, out var url) ? DownloadSlot.PathOf(cacheFolder, url, BaseNameOf(SourceNames.FileOf(iso)) + ".iso") : Path.GetFullPath(iso))?.Profile;

    /// <summary>An ISO's file name without `.iso`, as it is; of a URL, its last part.</summary>
    internal static string TitleOf(string iso) => WithoutExtension(SourceNames.FileOf(iso));

    /// <summary>What images are called after an ISO: its name without `.iso`, without what a file name can't have.</summary>
    internal static string BaseNameOf(string fileName) => SourceNames.Clean(WithoutExtension(fileName), "installer");

    private static SourceFile FileOf(InstallerSpec spec) => spec.File ?? throw new ArgumentException("The spec names no ISO.", nameof(spec));

    private static string NameOf(SourceFile file) => BaseNameOf(SourceNames.FileOf(file.Source));

    private static string NameInCache(SourceFile file) => NameOf(file) + ".iso";

    private static InstallerIso Describe(IsoFacts facts, string path, SourceFile file, string sha256) => new()
    {
        Path = path,
        Sha256 = sha256,
        Size = facts.Size,
        VolumeId = facts.VolumeId,
        BootsBios = facts.BootsBios,
        BootsUefi = facts.BootsUefi,
        BaseName = NameOf(file),
        IsReference = false,
        Profile = ProfileFinder.Find(path)?.Profile,
        Source = file.Shown,
    };

    private static string WithoutExtension(string fileName) => fileName.EndsWith(".iso", StringComparison.OrdinalIgnoreCase) ? fileName[..^4] : fileName;
}
