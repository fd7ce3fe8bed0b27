using Crust.Appliance;
using Crust.Inspection;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Machine.Inspection;

/// <summary>Care for disks by the real appliance, which comes from the user's own cache or goes there.</summary>
internal static class RealDiskCare
{
    /// <param name="runtime">A folder with a short path, for machines' sockets.</param>
    /// <param name="observer">Told of warnings; null for nobody.</param>
    /// <param name="tools">Other programs than the host's; null for those.</param>
    public static DiskCare In(string runtime, IBuildObserver? observer = null, ToolBox? tools = null)
    {
        tools ??= Host.Tools;
        var cache = HostEnvironment.Read().CacheFolder;
        var folders = new Folders { Images = runtime, Cache = cache, Runtime = runtime, Builder = Folders.BuilderBesideProgram };
        var builds = new BuildCache(cache, Logger.None);
        var appliance = new ApplianceBuilder(tools, builds, folders, new NoObserver());
        var launcher = new MachineLauncher(tools, FirmwareFinder.OfHost, runtime, TimeProvider.System, Logger.None);
        return new DiskCare(tools, new ApplianceRun(appliance, new WarmAppliance(launcher, tools, builds, ApplianceStart.Auto, TimeProvider.System, Logger.None), launcher, TimeProvider.System), observer ?? new NoObserver(), TimeProvider.System);
    }
}
