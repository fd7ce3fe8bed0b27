using Crust.Appliance;
using Crust.Attestation;
using Crust.Bases;
using Crust.Content;
using Crust.Disks;
using Crust.Downloads;
using Crust.Events;
using Crust.Fleet;
using Crust.Formats;
using Crust.Host;
using Crust.Images;
using Crust.Inspection;
using Crust.Installers;
using Crust.Isos;
using Crust.Layers;
using Crust.Machines;
using Crust.Media;
using Crust.Planning;
using Crust.Providers;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Registries;
using Crust.Registries.Sharing;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Sysexts.Baking;
using Crust.Sysexts.Conversion;
using Crust.Sysexts.Sources;
using Crust.Tools;
using Crust.Verification;
using Serilog;
using Serilog.Core;

namespace Crust.Cli;

internal sealed class CrustServices : IAsyncDisposable
{
    private readonly Logger _log;
    private readonly BuildLog _buildLog;

    public CrustServices(HostEnvironment environment, string imagesFolder, IBuildObserver observer, Redactor? hidden = null, bool showsGuest = false)
    {
        var time = TimeProvider.System;
        hidden ??= new Redactor();
        // All rooms talk to the journal, which passes on what it hears: the manifest and the report tell it, too.
        var journal = new BuildJournal(observer, time, hidden);
        Folders = new Folders
        {
            Images = Path.GetFullPath(imagesFolder),
            Cache = environment.CacheFolder,
            Runtime = environment.RuntimeFolder,
            Builder = Folders.BuilderBesideProgram,
        };
        CacheFolder.Tidy(Folders.Cache);
        _buildLog = BuildLog.In(Path.Combine(Folders.Cache, "logs"));
        _log = new LoggerConfiguration().MinimumLevel.Debug()
            .WriteTo.File(new LogText(hidden), _buildLog.Path, fileSizeLimitBytes: 64 << 20)
            .CreateLogger();

        var tools = new ToolBox(environment.SearchPath, _log) { Environment = environment.Variables };
        var cache = new BuildCache(Folders.Cache, _log) { Provided = environment.PartsFolder };
        var signer = new Signer(tools, Folders);
        var proxies = ProxySettings.From(environment.Variables);
        hidden.Hide(proxies.Secrets);
        var firmware = FirmwareFinder.OfHost;
        var launcher = new MachineLauncher(tools, firmware, Folders.Runtime, time, _log) { Hidden = hidden };
        Shelf = new ImagesFolder(Folders.Images);
        Probe = new AcceleratorProbe(tools, Folders.Cache, _log);
        ImageCheck = new ImageCheck(tools, Folders);
        SysextIndex = new SysextIndex(signer);
        SysextAttestor = new SysextAttestor(signer, time);
        SysextBuilder = new SysextBuilder(tools, SysextAttestor, time);
        var images = new RegistryImages(tools, cache, Stage.Base, journal, time);
        SysextSource = new SysextSource(tools, Folders.Builder, images);
        SysextReader = new SysextReader(tools);
        Verifier = new BootVerifier(launcher, tools, journal, time, _log);
        var appliance = new ApplianceBuilder(tools, cache, Folders, journal);
        Reference = new ReferenceInstaller(tools, cache, Folders, appliance, journal);
        var http = new HttpSource(HttpSource.NewClient(proxies), time, _log) { Proxies = proxies };
        var indexes = new IndexedSysexts(Folders.Cache, http, tools, journal, time, _log);
        Recipes = new RecipeSources(Folders.Cache, http, tools, new AptPackages(tools, Folders.Cache), journal, time, _log);
        RecipeTrees = new RecipeTrees(Recipes, new RecipeArchives(tools, cache));
        Proposer = new Proposer(Recipes);
        Bakery = new Bakery(Recipes, RecipeTrees, SysextBuilder, new ListSignature(tools, Folders.Cache),
            new Publication(http, new Downloader(http, Folders.Cache, new IsoHash(Folders.Cache, journal, _log), journal, time) { Stage = Stage.Recipes }, journal), journal);
        var jobs = new ApplianceRun(appliance, new WarmAppliance(launcher, tools, cache, environment.ApplianceStart, time, _log), launcher, time);
        var content = new LayerContent(RecipeTrees, new SysextMaker(RecipeTrees, SysextBuilder, SysextReader, indexes), journal);
        var layers = new LayerRun(tools, jobs, content, journal, _log);
        RootCommand = new RootCommand(tools, jobs, layers);
        var packages = new DebianBase(tools, cache, Folders, new MachinePackageInstaller(RootCommand, Probe), journal);
        var bases = new BaseSource(new SourceFetcher(Folders.Cache, http, tools, Stage.Base, journal, time, _log), images, packages, tools);
        var steps = new SystemSteps(new RootSteps(Probe, RootCommand, journal), cache);
        var systems = new SystemLayers(content, steps, journal);
        Content = new ContentBuilder(new ImagePuller(tools, Folders.Cache, journal, time), new ContentAttestor(signer, time), new ContentExtras(tools, journal), Folders.Cache, journal, time);
        Live = new LiveInstaller(tools, cache, bases, appliance, systems, Content, journal);
        Debian = new DebianInstaller(tools, cache, Folders, bases, appliance, systems, journal);
        Installers = new InstallerLibrary(new InstallerSource(Folders.Cache, proxies, tools, journal, time, _log), Reference, Debian, Live);
        Sources = new SourceLibrary(Installers, bases, indexes);
        Seeds = new SeedComposer();
        var disks = new DiskStore(cache, _log);
        var writer = new ImageWriter(new FormatServices(tools, appliance) { Roots = new RootPacker(tools, jobs, Probe, journal) }, journal);
        var care = new DiskCare(tools, jobs, journal, time);
        Inspector = new Inspector(tools, care, Probe, Folders, journal, time);
        var checks = new HostChecks(tools, firmware, Probe, Folders);
        var forecaster = new Forecaster(Sources, appliance, disks, writer, Shelf);
        Forecaster = forecaster;
        Doctor = new Doctor(checks, forecaster);
        Planner = new Planner(Sources, writer, new RegistryTags(tools, Folders.Cache, journal, time).ListAsync);
        Publisher = new Publisher(tools, Shelf, Folders.Cache, journal, time);
        SysextPublisher = new SysextPublisher(tools, Folders.Cache, journal, time);
        ContentCheck = new ContentCheck(journal);
        RootSource = new RootSource(tools, Folders.Builder, images);
        Systems = new SystemBuilder(tools, images, RecipeTrees, steps, cache, journal, time);
        Providers = new ProviderBuilder(tools, images, RecipeTrees, steps, Folders.Cache, journal, time);
        PatchelfIn = scratch => new Patchelf(tools, scratch);
        Fleet = new FleetRun(tools, Inspector, journal, hidden, time);
        var preflight = new Preflight(checks, forecaster);
        var shared = new SharedCaches(tools, cache, journal, time) { Signer = signer };
        Exchange = new BuildExchange(Sources, Seeds, shared, disks, journal, hidden, time);
        var machine = new InstallerMachine(
            new SeedCourier(new SeedVolume(tools), new IsoCopy(tools, journal)),
            new IsoFiles(tools),
            new InstallRun(launcher, new GuestScreen(tools, showsGuest, environment.HasDisplay), journal, time, _log),
            Folders);
        var diskStage = new DiskStage(disks, care, journal);
        Build = new ImageBuild(
            preflight,
            new DiskSources(Sources, Seeds, new DiskMakers(preflight, machine, new BaseWriter(tools, journal), new RootWriter(tools, jobs, journal)), disks.LocalKey, journal, hidden, time),
            shared,
            disks,
            diskStage,
            new LayerStage(disks, diskStage, layers, journal),
            writer,
            new ImageStage(writer),
            new ImageProver(Verifier, tools, Folders, journal),
            new Attestor(signer, time),
            Shelf,
            _buildLog,
            journal,
            hidden,
            time);
    }

    public Folders Folders { get; }

    public ImagesFolder Shelf { get; }

    public AcceleratorProbe Probe { get; }

    public BootVerifier Verifier { get; }

    public ImageCheck ImageCheck { get; }

    public SysextIndex SysextIndex { get; }

    public SysextBuilder SysextBuilder { get; }

    public SysextAttestor SysextAttestor { get; }

    public Bakery Bakery { get; }

    public Proposer Proposer { get; }

    public SysextSource SysextSource { get; }

    public SysextReader SysextReader { get; }

    public RootSource RootSource { get; }

    public RootCommand RootCommand { get; }

    /// <summary>What rewrites programs, into a folder that is there as long as they are read.</summary>
    public Func<string, Patchelf> PatchelfIn { get; }

    public ReferenceInstaller Reference { get; }

    public LiveInstaller Live { get; }

    public DebianInstaller Debian { get; }

    public InstallerLibrary Installers { get; }

    public SourceLibrary Sources { get; }

    public RecipeSources Recipes { get; }

    public RecipeTrees RecipeTrees { get; }

    public SeedComposer Seeds { get; }

    public Forecaster Forecaster { get; }

    public Inspector Inspector { get; }

    public Doctor Doctor { get; }

    public Planner Planner { get; }

    public Publisher Publisher { get; }

    public SysextPublisher SysextPublisher { get; }

    public FleetRun Fleet { get; }

    public ContentBuilder Content { get; }

    public ContentCheck ContentCheck { get; }

    public ProviderBuilder Providers { get; }

    public SystemBuilder Systems { get; }

    public ImageBuild Build { get; }

    public BuildExchange Exchange { get; }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _log.DisposeAsync();
        }
        catch (Exception e) when (HostFault.IsOfOutput(e))
        {
            // What it still held can't be written: a full disk, which is what the build's own error is about.
        }

        _buildLog.Remove();
    }
}
