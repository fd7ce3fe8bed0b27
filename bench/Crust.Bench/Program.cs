// Converts a raw disk as a build does, without the build around it:
//
//     crust-bench map DISK                      what the install does once: writes DISK.bmap
//     crust-bench convert DISK FOLDER FORMAT…   writes images into a folder; says on standard output how much memory that took, in KiB
using Crust;
using Crust.Appliance;
using Crust.Disks;
using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog.Core;

switch (args)
{
    case ["map", var disk]:
        BmapFile.Write(await BlockMap.OfAsync(disk, CancellationToken.None), disk + BmapFile.Extension);
        return 0;
    case ["convert", var disk, var folder, .. var formats]:
        await ConvertAsync(disk, folder, formats);
        Console.WriteLine(File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmHWM", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2]);
        return 0;
    default:
        Console.Error.WriteLine("usage: crust-bench map DISK | convert DISK FOLDER FORMAT...");
        return 2;
}

static async Task ConvertAsync(string disk, string folder, string[] formats)
{
    var environment = HostEnvironment.Read();
    var tools = new ToolBox(environment.SearchPath, Logger.None);
    var folders = new Folders { Images = folder, Cache = environment.CacheFolder, Runtime = environment.RuntimeFolder, Builder = Folders.BuilderBesideProgram };
    var appliance = new ApplianceBuilder(tools, new BuildCache(folders.Cache, Logger.None), folders, new Silence());
    using var drafts = DraftFolder.Create(folder);
    var images = await new ImageWriter(new FormatServices(tools, appliance), new Silence()).WriteAsync(
        InstalledDisk.Of(new string('0', 64), disk, BmapFile.Read(disk + BmapFile.Extension), InstallFacts.None), [.. formats.Select(ImageFormats.Named)], "bench", new BuildSpec(), drafts, CancellationToken.None);
    foreach (var image in images)
    {
        File.Move(image.Path, Path.Combine(folder, "bench" + image.Format.Extension), overwrite: true);
    }
}

internal sealed class Silence : IBuildObserver
{
    public void Observe(BuildEvent buildEvent)
    {
    }
}
