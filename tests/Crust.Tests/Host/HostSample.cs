using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Bases;
using Crust.Disks;
using Crust.Downloads;
using Crust.Formats;
using Crust.Host;
using Crust.Images;
using Crust.Installers;
using Crust.Layers;
using Crust.Machines;
using Crust.Media;
using Crust.Planning;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Bases;
using Crust.Tests.Installers;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Host;

/// <summary>A host that has all that a build needs, of which tests take things away.</summary>
internal sealed class HostSample : IDisposable
{
    public static readonly ImmutableArray<string> Programs =
        ["skopeo", "qemu-system-x86_64", "qemu-img", "xorriso", "mmdebstrap", "depmod", "zstd", "mksquashfs", "mformat", "mmd", "mcopy"];

    public HostSample()
    {
        foreach (var program in Programs)
        {
            Fakes.AddShell(program, $"echo {program} version 9.1.2");
        }

        Write("proc/meminfo", Memory(total: 16, available: 12));
        Folders = new Folders { Images = Fakes.FileFor("images"), Cache = Fakes.FileFor("cache"), Runtime = Fakes.Folder, Builder = Folders.BuilderBesideProgram };
        File.WriteAllBytes(Iso, IsoBytes.With("EDGE", 0x00, 0xef));
    }

    public FakeTools Fakes { get; } = new();

    public Folders Folders { get; set; }

    /// <summary>Libraries that aren't there.</summary>
    public HashSet<HostLibrary> Missing { get; } = [];

    /// <summary>What file systems look like; by default there is room enough, on one.</summary>
    public Func<string, FolderSpace> Look { get; set; } = _ => new FolderSpace(1, 1L << 40, Clones: false);

    /// <summary>A vendor's installer.</summary>
    public string Iso => Fakes.FileFor("edge.iso");

    /// <summary>A build of it, under TCG: nothing is started to find out what KVM does.</summary>
    public BuildSpec Spec => new() { Installer = new() { Iso = Iso }, Machine = new() { Accelerator = Accelerator.Tcg, Cpus = 1 }, Trim = false, Inspect = false };

    public HostFiles Files => new(Fakes.FileFor("root"));

    public HostChecks Checks => new(Fakes.ToolBoxWithNothingElse, new FirmwareFinder(Fakes.FileFor("no-descriptors")),
        new AcceleratorProbe(Fakes.ToolBoxWithNothingElse, Folders.Cache, Logger.None) { Device = Fakes.FileFor("kvm") }, Folders, Files, library => !Missing.Contains(library), path => Look(path));

    public Forecaster Forecaster => new(
        SourcesOf(new InstallerSource(Folders.Cache, Observer, TimeProvider.System, Logger.None)),
        Appliance, new DiskStore(Cache, Logger.None), Writer, new ImagesFolder(Folders.Images));

    public SourceLibrary SourcesOf(InstallerSource source) => new(new InstallerLibrary(source, Reference,
        new DebianInstaller(Fakes.ToolBoxWithNothingElse, Cache, Folders, Bases, Appliance, null!, Observer), new LiveInstaller(Fakes.ToolBoxWithNothingElse, Cache, Bases, Appliance, null!, null!, Observer)), Bases,
        new IndexedSysexts(Folders.Cache, new HttpSource(HttpSource.NewClient(), TimeProvider.System, Logger.None), Fakes.ToolBoxWithNothingElse, Observer, TimeProvider.System, Logger.None));

    private BaseSource Bases => new(
        new SourceFetcher(Folders.Cache, new HttpSource(HttpSource.NewClient(), TimeProvider.System, Logger.None), Fakes.ToolBoxWithNothingElse, Stage.Base, Observer, TimeProvider.System, Logger.None),
        new RegistryImages(Fakes.ToolBoxWithNothingElse, Cache, Stage.Base, Observer, TimeProvider.System), new DebianBase(Fakes.ToolBoxWithNothingElse, Cache, Folders, new NoPackageInstaller(), Observer), Fakes.ToolBoxWithNothingElse);

    public ReferenceInstaller Reference => new(Fakes.ToolBoxWithNothingElse, Cache, Folders, Appliance, Observer);

    public ImageWriter Writer => new(new FormatServices(Fakes.ToolBoxWithNothingElse, Appliance), Observer);

    private static EventList Observer => new();

    private ApplianceBuilder Appliance => new(Fakes.ToolBoxWithNothingElse, Cache, Folders, Observer);

    private BuildCache Cache => new(Folders.Cache, Logger.None);

    public Preflight Preflight => new(Checks, Forecaster);

    public Doctor Doctor => new(Checks, Forecaster);

    /// <summary>What Linux says of memory, in GiB.</summary>
    public static string Memory(int total, int available, int swap = 0) =>
        $"MemTotal: {total << 20} kB\nMemFree: 1 kB\nMemAvailable: {available << 20} kB\nSwapTotal: {swap << 20} kB\nSwapFree: {swap << 20} kB\n";

    /// <summary>A question about a vendor's installer of a GiB, for one format.</summary>
    public static HostQuestion Question(BuildSpec? spec = null, BuildForecast? forecast = null, bool thoroughly = false) =>
        new(spec ?? new BuildSpec(), forecast ?? Forecast("img"), thoroughly);

    public static BuildForecast Forecast(params string[] formats) =>
        new() { Name = "edge", SourceSize = 1L << 30, IsCacheKnown = true, ToWrite = [.. formats.Select(ImageFormats.Named)] };

    /// <summary>Puts a file where Linux would have it.</summary>
    public void Write(string path, string content)
    {
        var file = Path.Combine(Fakes.FileFor("root"), path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, content);
    }

    public void Dispose() => Fakes.Dispose();
}
