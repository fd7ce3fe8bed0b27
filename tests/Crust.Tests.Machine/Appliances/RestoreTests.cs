using System.Text;
using Crust.Appliance;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Serilog;
using Serilog.Core;

namespace Crust.Tests.Machine.Appliances;

/// <summary>The appliance restored from a saved machine, by the real QEMU, with a cache of saved machines of its own.</summary>
[CancelAfter(600_000)]
public sealed class RestoreTests
{
    // What the first run has left, and what it said: each test begins with a copy.
    private string _saved = null!;
    private Dictionary<string, string> _first = null!;
    private string _firstLog = null!;
    private string _folder = null!;
    private string _log = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private string Record => Directory.GetFiles(Path.Combine(_folder, "cache"), "machine.json", SearchOption.AllDirectories).Single();

    private string State => Path.Combine(Path.GetDirectoryName(Record)!, "state");

    [OneTimeSetUp]
    public async Task Save()
    {
        (_folder, _log) = (MakeFolder(), "");
        _first = await RunAsync();
        (_saved, _firstLog) = (_folder, _log);
    }

    [OneTimeTearDown]
    public void RemoveSaved() => Directory.Delete(_saved, recursive: true);

    [SetUp]
    public async Task SetUp()
    {
        (_folder, _log) = (MakeFolder(), "");
        await CopySavedAsync();
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Two_machines_restored_from_one_state_share_no_random_number_and_know_the_time_and_a_state_that_is_not_whole_is_never_used()
    {
        var second = await RunAsync();

        Assert.That(Machines(_firstLog, "-incoming") + Machines(_log, "-incoming"), Is.EqualTo(2), _firstLog + _log);
        Assert.That(second["random"], Is.Not.EqualTo(_first["random"]));
        Assert.That(second["uuid"], Is.Not.EqualTo(_first["uuid"]));
        Assert.That(double.Parse(second["uptime"]) - double.Parse(_first["uptime"]), Is.EqualTo(0).Within(10), "both go on where the one that was saved had stopped");
        foreach (var found in new[] { _first, second })
        {
            Assert.That(found["disks"].Trim(), Is.EqualTo($"{3 << 20}"), "the disk that was plugged in");
        }

        Assert.That(long.Parse(second["time"]), Is.EqualTo(TimeProvider.System.GetUtcNow().ToUnixTimeSeconds()).Within(120));

        // One byte of the guest's memory, which QEMU would take as it is.
        var state = State;
        Flip(state, new FileInfo(state).Length / 2);
        var third = await RunAsync();

        Assert.That(third["disks"].Trim(), Is.EqualTo($"{3 << 20}"), "the appliance is booted in its place");
        Assert.That(_log, Does.Contain("was changed after it was saved"));
        Assert.That(state, Does.Not.Exist);
    }

    [Test]
    public async Task A_state_that_QEMU_cannot_read_and_one_whose_guest_says_nothing_are_followed_by_a_boot()
    {
        var record = Record;
        await File.WriteAllBytesAsync(State, new byte[4096], Cancellation);

        Assert.That((await RunAsync())["disks"].Trim(), Is.EqualTo($"{3 << 20}"));
        Assert.That(_log, Does.Contain("The appliance is booted, since it can't be restored"));
        Assert.That(record, Does.Not.Exist, "the next build saves it anew");

        await CopySavedAsync();
        Assert.That((await RunAsync(TimeSpan.FromMilliseconds(1)))["disks"].Trim(), Is.EqualTo($"{3 << 20}"));
        Assert.That(_log, Does.Contain("it didn't say hello within"));
    }

    private static string MakeFolder()
    {
        var folder = Directory.CreateTempSubdirectory("crust-restore-").FullName;
        using var disk = File.Create(Path.Combine(folder, "disk.raw"));
        disk.SetLength(3 << 20);
        return folder;
    }

    private async Task CopySavedAsync() => await Host.RunAsync("cp", ["-a", "--sparse=always", Path.Combine(_saved, "cache"), _folder], Cancellation);

    private static void Flip(string path, long offset)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.Position = offset;
        var value = file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 1));
    }

    private static int Machines(string log, string option) => log.Split('\n').Count(line => line.Contains("Machine appliance:") && line.Contains(option));

    // As one build of its own; the appliance's image is in the user's cache, or goes there.
    private async Task<Dictionary<string, string>> RunAsync(TimeSpan? patience = null)
    {
        var path = Path.Combine(_folder, $"{Guid.NewGuid():N}.log");
        var found = new Dictionary<string, string>();
        await using (var log = new LoggerConfiguration().MinimumLevel.Debug().WriteTo.File(path).CreateLogger())
        {
            var cache = HostEnvironment.Read().CacheFolder;
            var folders = new Folders { Images = _folder, Cache = cache, Runtime = _folder, Builder = Folders.BuilderBesideProgram };
            var builder = new ApplianceBuilder(Host.Tools, new BuildCache(cache, Logger.None), folders, new NoObserver());
            var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, _folder, TimeProvider.System, log);
            var warm = new WarmAppliance(launcher, Host.Tools, new BuildCache(Path.Combine(_folder, "cache"), log), ApplianceStart.Auto, TimeProvider.System, log);
            var run = patience is { } limit ? new ApplianceRun(builder, warm, launcher, TimeProvider.System) { HelloDeadline = limit } : new ApplianceRun(builder, warm, launcher, TimeProvider.System);
            await run.RunAsync(new ApplianceJob("self-test", new Drive.Disk("raw") { File = Path.Combine(_folder, "disk.raw") }, Accelerator.Tcg, Path.Combine(_folder, "serial.log"))
            {
                OnFound = word => found[word.Kind] = Encoding.UTF8.GetString(word.Kind == "random" ? Encoding.UTF8.GetBytes(Convert.ToHexString(word.Data.Span)) : word.Data.ToArray()),
            }, Cancellation);
        }

        _log += await File.ReadAllTextAsync(path, Cancellation);
        return found;
    }
}
