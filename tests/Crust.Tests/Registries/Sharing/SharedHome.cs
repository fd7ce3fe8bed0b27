using Crust.Attestation;
using Crust.Disks;
using Crust.Events;
using Crust.Registries.Sharing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Disks;
using Crust.Tests.Installers;
using Crust.Tests.Storage;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Registries.Sharing;

/// <summary>A machine with a cache of its own, which gets installed disks as a build does. What its installer leaves depends on the machine, as with many installers.</summary>
internal sealed class SharedHome : IDisposable
{
    public const long Size = (64 << 20) + 512;

    public static readonly string Key = new('a', 64);

    private readonly int _seed;
    private readonly string _folder = Directory.CreateTempSubdirectory("crust-home-").FullName;

    public SharedHome(string repository, int seed)
    {
        _seed = seed;
        Spec = new BuildSpec { Cache = repository, Machine = new() { Disk = Size }, Publish = new() { Tls = false, Retries = 0 } };
        Cache = Path.Combine(_folder, "cache");
    }

    public BuildSpec Spec { get; set; }

    public string Cache { get; set; }

    public Signer? Signer { get; set; }

    public ToolBox Tools { get; set; } = SampleDisk.Tools;

    public EventList Events { get; } = new();

    /// <summary>Done when its installer starts.</summary>
    public Func<Task> OnInstall { get; set; } = () => Task.CompletedTask;

    /// <summary>How often its installer ran.</summary>
    public int Installs { get; private set; }

    public IReadOnlyList<string> Warnings => [.. Events.Events.OfType<BuildEvent.Warned>().Select(warned => warned.Message)];

    /// <summary>What came of looking and pushing, in that order.</summary>
    public IReadOnlyList<string> Said => [.. Events.Events.OfType<BuildEvent.Finished>().Where(finished => finished.Stage is Stage.Cache).Select(finished => finished.Detail)];

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    /// <summary>Gets the disk, and pushes it as a build does at its end.</summary>
    /// <param name="beforePush">Done when the disk is there.</param>
    public Task<InstalledDisk> BuildAsync(Func<Task>? beforePush = null) => BuildAsync(Cancellation, beforePush);

    public async Task<InstalledDisk> BuildAsync(CancellationToken cancellation, Func<Task>? beforePush = null)
    {
        var cache = new BuildCache(Cache, Logger.None);
        using var shared = new SharedCaches(Tools, cache, Events, TimeProvider.System) { FirstWait = TimeSpan.FromMilliseconds(1), Signer = Signer }.Open(Spec);
        var disks = new SharedDisks(shared);
        var build = new SharedBuild(Key, "edge", Spec, InstallerSample.Iso.Sha256);
        var stages = new StageRunner(Events, TimeProvider.System);
        using var draft = await new DiskStore(cache, Logger.None).OpenAsync(Key, Spec.Machine.Disk, _ => { }, cancellation);
        var disk = draft.Found ?? await disks.PullAsync(build, draft, stages, cancellation) ?? await draft.InstallAsync(InstallAsync, cancellation);
        await (beforePush?.Invoke() ?? Task.CompletedTask);
        await disks.PushAsync(disk, build, stages, cancellation);
        return disk;
    }

    /// <summary>The names of all files below the cache's folder, but the locks.</summary>
    public IEnumerable<string> Files => Directory.EnumerateFileSystemEntries(Cache, "*", SearchOption.AllDirectories)
        .Where(path => !path.EndsWith(".lock", StringComparison.Ordinal)).Select(path => Path.GetRelativePath(Cache, path)).Order(StringComparer.Ordinal);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<InstallFacts> InstallAsync(string path)
    {
        Installs++;
        await OnInstall();
        var folder = Path.GetDirectoryName(path)!;
        Assert.That(Directory.EnumerateFileSystemEntries(folder), Is.EquivalentTo(new[] { path, Path.Combine(folder, ".alive") }), "nothing is left of a pull that failed, and the draft is still held");
        using var disk = File.OpenHandle(path, FileMode.Open, FileAccess.Write);
        var noise = new byte[5 << 20];
        new Random(_seed).NextBytes(noise);
        RandomAccess.Write(disk, noise, 8 << 20);
        RandomAccess.Write(disk, "the end"u8, Spec.Machine.Disk - 7);
        File.WriteAllText(Path.Combine(folder, "serial.log"), $"machine {_seed}");
        Directory.CreateDirectory(Path.Combine(folder, "screens"));
        File.WriteAllBytes(Path.Combine(folder, "screens", "0001.png"), [1, 2, 3]);
        return InstallFacts.None with { Seconds = _seed, CommandLine = "qemu-system-x86_64", Warnings = ["slow"] };
    }
}
