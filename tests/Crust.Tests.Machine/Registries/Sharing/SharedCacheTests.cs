using System.Text.Json;
using Crust.Tests.Machine.Guests;
using Crust.Tests.Registries;

namespace Crust.Tests.Machine.Registries.Sharing;

/// <summary>Machines with homes of their own and one registry: the whole program, a real QEMU, a real registry.</summary>
[CancelAfter(300_000)]
[Parallelizable(ParallelScope.Self)]
public sealed class SharedCacheTests
{
    private readonly List<CrustProcess> _machines = [];
    private LocalRegistry _registry = null!;
    private CuttingRelay _relay = null!;
    private string _iso = "";

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public async Task StartAsync()
    {
        _registry = await LocalRegistry.StartAsync(Cancellation);
        _relay = new CuttingRelay(_registry);
        _iso = await StubGuests.IsoAsync(StubGuest.Installs, _registry.Folder, Cancellation);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _machines.ForEach(machine => machine.Dispose());
        _machines.Clear();
        _relay.Dispose();
        await _registry.DisposeAsync();
    }

    [Test]
    public async Task What_one_machine_has_installed_no_other_installs_and_what_it_has_published_no_other_makes()
    {
        var (first, second, third) = (Machine(), Machine(), Machine());

        var one = await BuildAsync(first, "img,img.zst,qcow2,vmdk,kubevirt");
        Tell("the first machine installs and pushes the disk");
        var other = await BuildAsync(second, "img,img.zst,qcow2,vmdk,kubevirt");
        Tell("the second pulls the disk");
        var again = await BuildAsync(second, "ova");
        Tell("the second makes another format of its own disk");
        var published = await first.RunAsync(Cancellation, ["publish", .. Arguments("qcow2,vmdk,kubevirt"), "--repo", $"{_relay.Host}/edge/images", "--tag", "1"]);
        Tell("the first publishes three images");
        var taken = await BuildAsync(third, "qcow2,vmdk,kubevirt", "--repo", $"{_relay.Host}/edge/images");
        Tell("the third pulls the images");

        Assert.That(new[] { one, other, again, published, taken }.Select(run => run.ExitCode), Is.All.Zero, one.Error + other.Error + again.Error + published.Error + taken.Error);
        Assert.That(one.Error, Does.Contain("cache      pushed sha256:"));
        Assert.That(other.Error, Does.Contain($"cache      pulled {_relay.Host}/edge/cache@sha256:").And.Contain("from the cache; the installer wasn't booted"));
        Assert.That(taken.Error, Does.Contain("cache      qcow2 ").And.Not.Contain("install    "));
        Assert.That(again.Error, Does.Contain("already there, nothing pushed"));
        Assert.That(await LogAsync(first), Does.Contain("Starting qemu-system-x86_64"));
        Assert.That(await LogAsync(second) + await LogAsync(third), Does.Not.Contain("Starting qemu-system"));
        await CompareAsync(first, second, ".img", ".img.bmap", ".img.zst", ".img.zst.bmap", ".qcow2", ".vmdk", ".kubevirt.oci.tar");
        await CompareAsync(first, third, ".qcow2", ".vmdk", ".kubevirt.oci.tar");
        Assert.That(Directory.Exists(Path.Combine(third.Cache, "disks")), Is.False, "it needed no disk");
        Assert.That(await Host.RunAsync("sh", ["-c", $"cd '{third.Images}' && sha256sum -c SHA256SUMS"], Cancellation), Does.Contain("installs.kubevirt.oci.tar: OK"));
        var manifest = await ManifestAsync(second);
        Assert.That(manifest.GetProperty("diskFrom").GetString(), Does.StartWith($"{_relay.Host}/edge/cache@sha256:"));
        manifest = await ManifestAsync(third);
        Assert.That(manifest.GetProperty("images").EnumerateArray().Select(image => image.GetProperty("reusedFrom").GetString()), Has.Exactly(3).StartsWith($"{_relay.Host}/edge/images@sha256:"));
        Assert.That(manifest.GetProperty("diskContent").GetString(), Is.EqualTo((await ManifestAsync(first)).GetProperty("diskContent").GetString()));
        var current = await BuildAsync(third, "qcow2,vmdk,kubevirt");
        Assert.That(current.Error, Does.Contain("up to date"));
        _machines.ForEach(machine => Leftovers.AssertNone(machine, null));
    }

    [Test]
    public async Task Two_machines_that_build_the_same_at_once_leave_one_whole_disk()
    {
        var (first, second, third) = (Machine(), Machine(), Machine());

        var both = await Task.WhenAll(BuildAsync(first, "qcow2"), BuildAsync(second, "qcow2"));
        var after = await BuildAsync(third, "qcow2");

        Assert.That(both.Append(after).Select(run => run.ExitCode), Is.All.Zero, both[0].Error + both[1].Error + after.Error);
        Assert.That(both.Append(after).Select(run => run.Error), Has.None.Contains("warning    The cache"));
        Assert.That(await LogAsync(third), Does.Not.Contain("Starting qemu-system"));
        await CompareAsync(first, third, ".qcow2");
        await CompareAsync(second, third, ".qcow2");
        _machines.ForEach(machine => Leftovers.AssertNone(machine, null));
    }

    private CrustProcess Machine()
    {
        var machine = new CrustProcess();
        machine.Environment["CACHE"] = $"oci://{_relay.Host}/edge/cache";
        _machines.Add(machine);
        return machine;
    }

    // No probe for KVM, which starts a QEMU of its own.
    private string[] Arguments(string formats) => ["--iso", _iso, "--disk-size", "64M", "--memory", "256M", "--accel", "tcg", "--format", formats, "--tls=false", "--inspect", "false", "--trim", "false", "--tidy", "none"];

    private Task<CrustResult> BuildAsync(CrustProcess machine, string formats, params string[] more) => machine.RunAsync(Cancellation, ["build", .. Arguments(formats), .. more]);

    // docs/cache.md has these figures.
    private void Tell(string what)
    {
        var (requests, up, down) = _relay.Take();
        TestContext.Out.WriteLine($"{what}: {requests} requests, {up} bytes up, {down} bytes down");
    }

    private static Task<string> LogAsync(CrustProcess machine) => File.ReadAllTextAsync(machine.Image("installs.log"), Cancellation);

    private static async Task<JsonElement> ManifestAsync(CrustProcess machine) => JsonDocument.Parse(await File.ReadAllBytesAsync(machine.Image("installs.manifest.json"), Cancellation)).RootElement;

    private static async Task CompareAsync(CrustProcess one, CrustProcess other, params string[] files)
    {
        foreach (var file in files)
        {
            await Host.RunAsync("cmp", [one.Image($"installs{file}"), other.Image($"installs{file}")], Cancellation);
        }
    }
}
