using Crust.Appliance;
using Crust.Disks;
using Crust.Formats;
using Crust.Spec;
using Crust.Storage;
using Serilog.Core;

namespace Crust.Tests.Machine.Field;

/// <summary>Makes field media of a disk.</summary>
internal static class FieldMedium
{
    public static readonly Folders Folders = new()
    {
        Images = "/nowhere",
        Cache = HostEnvironment.Read().CacheFolder,
        Runtime = "/tmp",
        Builder = Folders.BuilderBesideProgram,
    };

    /// <summary>The user's own cache.</summary>
    public static BuildCache Cache { get; } = new(Folders.Cache, Logger.None);

    /// <summary>The appliance, from the user's own cache: it takes a minute to build.</summary>
    public static ApplianceBuilder Appliance { get; } = new(Host.Tools, Cache, Folders, new NoObserver());

    /// <summary>Writes the iso.</summary>
    public static Task<string> WriteAsync(InstalledDisk disk, string path, IsoSpec iso, CancellationToken cancellation) =>
        WriteAsync(disk, path, new BuildSpec { Iso = iso }, cancellation);

    /// <summary>Writes the iso as a spec says.</summary>
    public static async Task<string> WriteAsync(InstalledDisk disk, string path, BuildSpec spec, CancellationToken cancellation)
    {
        using var drafts = DraftFolder.Create(path + ".drafts");
        var writer = new ImageWriter(new FormatServices(Host.Tools, Appliance), new NoObserver());
        var images = await writer.WriteAsync(disk, [ImageFormats.Named("iso")], "edge", spec, drafts, cancellation);
        File.Move(images[0].Path, path);
        return path;
    }

    /// <summary>Copies a file of the iso to this host.</summary>
    public static async Task<string> ExtractAsync(string iso, string file, string path, CancellationToken cancellation)
    {
        await Host.RunAsync("xorriso", ["-osirrox", "on", "-indev", iso, "-extract", file, path], cancellation);
        return path;
    }
}
