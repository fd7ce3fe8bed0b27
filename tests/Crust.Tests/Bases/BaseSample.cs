using Crust.Bases;
using Crust.Downloads;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Bases;

/// <summary>Small disk images in a folder of their own, a server for them, and what reads them.</summary>
internal sealed class BaseSample : IDisposable
{
    public const int DiskSize = 8 << 20;

    public static readonly ToolBox Tools = new(["/usr/bin", "/bin", "/usr/sbin", "/sbin"], Logger.None);

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-test-").FullName;

    public LoopbackServer Server { get; } = new();

    public EventList Events { get; } = new();

    public BaseSource Source => new(new SourceFetcher(FileFor("cache"), new HttpSource(HttpSource.NewClient(), TimeProvider.System, Logger.None) { FirstPause = TimeSpan.Zero },
        Tools, Stage.Base, Events, TimeProvider.System, Logger.None), Images, new DebianBase(Tools, Cache, Folders, new NoPackageInstaller(), Events), Tools);

    /// <summary>Images in registries that speak plain HTTP, each tried once.</summary>
    public RegistryImages Images => new(Tools, Cache, Stage.Base, Events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1) };

    public Folders Folders => new() { Images = FileFor("images"), Cache = FileFor("cache"), Runtime = FileFor("run"), Builder = RepositoryFile.PathOf("builder") };

    private BuildCache Cache => new(FileFor("cache"), Logger.None);

    public BaseWriter Writer => new(Tools, Events);

    public string FileFor(string name) => Path.Combine(Folder, name);

    /// <summary>A raw disk with an MBR, some data and a hole.</summary>
    public string Raw(string name = "edge.img")
    {
        var disk = new byte[DiskSize];
        DiskBytes.Mbr((0x83, 2048, 8192)).CopyTo(disk, 0);
        new Random(1).NextBytes(disk.AsSpan(1 << 20, 300_000));
        File.WriteAllBytes(FileFor(name), disk);
        return FileFor(name);
    }

    public async Task<string> ConvertAsync(string format, string name, CancellationToken cancellation, params string[] options)
    {
        await RunAsync("qemu-img", ["convert", "-f", "raw", "-O", format, .. options, Raw(), FileFor(name)], cancellation);
        return FileFor(name);
    }

    /// <summary>Packs a file; gives the packed one's path.</summary>
    public static async Task<string> PackAsync(string path, string program, string extension, CancellationToken cancellation)
    {
        await RunAsync(program, program == "zstd" ? ["-q", "-k", path] : ["-k", path], cancellation);
        return path + extension;
    }

    public static BuildSpec SpecOf(string image, string? sha256 = null) => new() { Base = new() { Image = image, Sha256 = sha256 } };

    public async Task<string> WriteAsync(string source, long size, CancellationToken cancellation)
    {
        var image = await Source.GetAsync(SpecOf(source), cancellation);
        var disk = FileFor("disk.raw");
        File.Create(disk).Dispose();
        await Writer.WriteAsync(image, disk, size, "machine.disk", cancellation);
        return disk;
    }

    public static async Task<string> RunAsync(string program, string[] arguments, CancellationToken cancellation) =>
        (await Tools.RunAsync(ToolCommand.Of(program, arguments), cancellation)).Output;

    public void Dispose()
    {
        Server.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
