using System.Text.RegularExpressions;
using Crust.Appliance;
using Crust.Attestation;
using Crust.Downloads;
using Crust.Layers;
using Crust.Machines;
using Crust.Recipes.Building;
using Crust.Recipes.Sources;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Tests.Machine.Inspection;
using Serilog.Core;

namespace Crust.Tests.Machine.Layers;

/// <summary>Layers put onto disks by the real appliance, which comes from the user's own cache or goes there.</summary>
internal static partial class RealLayers
{
    /// <param name="runtime">A folder with a short path, for machines' sockets.</param>
    public static LayerRun In(string runtime)
    {
        var cache = HostEnvironment.Read().CacheFolder;
        var folders = new Folders { Images = runtime, Cache = cache, Runtime = runtime, Builder = Folders.BuilderBesideProgram };
        var builds = new BuildCache(cache, Logger.None);
        var appliance = new ApplianceBuilder(Host.Tools, builds, folders, new NoObserver());
        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, runtime, TimeProvider.System, Logger.None);
        var warm = new WarmAppliance(launcher, Host.Tools, builds, ApplianceStart.Auto, TimeProvider.System, Logger.None);
        var http = new HttpSource(HttpSource.NewClient(), TimeProvider.System, Logger.None);
        var sources = new RecipeSources(runtime, http, Host.Tools, new AptPackages(Host.Tools, runtime), new NoObserver(), TimeProvider.System, Logger.None);
        var recipes = new RecipeTrees(sources, new RecipeArchives(Host.Tools, new BuildCache(Path.Combine(runtime, "recipes-cache"), Logger.None)));
        var sysexts = new SysextMaker(recipes, BuilderIn(runtime), new SysextReader(Host.Tools), new IndexedSysexts(runtime, http, Host.Tools, new NoObserver(), TimeProvider.System, Logger.None));
        return new LayerRun(Host.Tools, new ApplianceRun(appliance, warm, launcher, TimeProvider.System), new LayerContent(recipes, sysexts, new NoObserver()), new NoObserver(), Logger.None);
    }

    /// <summary>What builds extensions.</summary>
    public static SysextBuilder BuilderIn(string folder) =>
        new(Host.Tools, new SysextAttestor(new Signer(Host.Tools, new Folders { Images = folder, Cache = folder, Runtime = folder, Builder = "" }), TimeProvider.System), TimeProvider.System);

    /// <summary>The root of a small system in which scripts run.</summary>
    public static async Task<string> ScriptableSystemAsync(SampleDisks disks, CancellationToken cancellation)
    {
        var system = disks.System("scriptable", "Sample S");
        foreach (var folder in new[] { "dev", "sys", "run", "usr/sbin" })
            Directory.CreateDirectory(Path.Combine(system, folder));
        await AddProgramsAsync(system, cancellation, "/usr/bin/dash", "/usr/bin/cat", "/usr/bin/env");
        File.CreateSymbolicLink(Path.Combine(system, "bin"), "usr/bin");
        File.CreateSymbolicLink(Path.Combine(system, "usr/bin/sh"), "dash");
        return system;
    }

    /// <summary>Copies programs of this host with their libraries into a root, each to the path that it has here.</summary>
    public static async Task AddProgramsAsync(string root, CancellationToken cancellation, params string[] programs)
    {
        foreach (var program in programs)
        {
            var libraries = LibraryPattern().Matches(await Host.RunAsync("ldd", [program], cancellation)).Select(match => match.Value);
            foreach (var file in libraries.Append(program))
            {
                var copy = root + file;
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy, overwrite: true);
            }
        }
    }

    [GeneratedRegex(@"/\S+")]
    private static partial Regex LibraryPattern();
}
