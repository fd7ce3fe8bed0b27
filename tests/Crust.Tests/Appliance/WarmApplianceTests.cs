using Crust.Appliance;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Appliance;

/// <summary>When the appliance is restored from a saved machine, and from which one. How it is restored is shown by real machines.</summary>
public sealed class WarmApplianceTests
{
    private static readonly ApplianceImage Image = new("/a/vmlinuz", "/a/initramfs.zst", new string('a', 64)) { Arch = Arch.Amd64, BootFolder = "/a/boot" };

    private string _folder = null!;

    [SetUp]
    public void SetUp()
    {
        _folder = Directory.CreateTempSubdirectory("crust-warm-").FullName;
        File.WriteAllText(Path.Combine(_folder, "qemu-system-x86_64"), "QEMU 7.2");
    }

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [TestCase(2, 1024, MachineNetwork.None, true)]
    [TestCase(2, 512, MachineNetwork.None, true)]
    [TestCase(4, 1024, MachineNetwork.None, false)]
    [TestCase(2, 2048, MachineNetwork.None, false)]
    [TestCase(2, 1024, MachineNetwork.Internet, false)]
    public void A_saved_machine_takes_the_place_of_one_that_is_no_more_than_it_is(int cpus, int megabytes, MachineNetwork network, bool isLike) =>
        Assert.That(ApplianceMachine.IsSavedLike(new MachineSpec { Cpus = cpus, Memory = (long)megabytes << 20, Network = network }), Is.EqualTo(isLike));

    [Test]
    public void The_same_appliance_on_the_same_QEMU_has_the_same_key() => Assert.That(Key(Image with { }), Is.EqualTo(Key(Image)).And.Length.EqualTo(64));

    [Test]
    public void Where_the_cache_is_plays_no_part() => Assert.That(Key(Image with { Kernel = "/b/vmlinuz", Initramfs = "/b/initramfs.zst" }), Is.EqualTo(Key(Image)));

    [Test]
    public void Another_appliance_has_another_key() => Assert.That(Key(Image with { Key = new string('b', 64) }), Is.Not.EqualTo(Key(Image)));

    [Test]
    public void Another_accelerator_has_another_key() => Assert.That(Key(Image, Accelerator.Kvm), Is.Not.EqualTo(Key(Image)));

    [Test]
    public void Another_build_of_QEMU_has_another_key_also_where_its_size_and_times_are_the_same()
    {
        var program = Path.Combine(_folder, "qemu-system-x86_64");
        var (before, time) = (Key(Image), File.GetLastWriteTimeUtc(program));

        File.WriteAllText(program, "QEMU 7.3");
        File.SetLastWriteTimeUtc(program, time);

        Assert.That(Key(Image), Is.Not.EqualTo(before));
    }

    [TestCase(ApplianceStart.Boot, Arch.Amd64, Accelerator.Tcg)]
    [TestCase(ApplianceStart.Auto, Arch.Amd64, Accelerator.Kvm)]
    [TestCase(ApplianceStart.Auto, Arch.Arm64, Accelerator.Tcg)]
    [TestCase(ApplianceStart.Warm, Arch.Arm64, Accelerator.Tcg)]
    public async Task The_appliance_is_booted(ApplianceStart start, Arch arch, Accelerator accelerator) =>
        Assert.That(await Warm(start).OpenAsync(Image with { Arch = arch }, accelerator, CancellationToken.None), Is.Null);

    [Test]
    public async Task A_record_that_cannot_be_read_is_forgotten_with_its_state_and_the_appliance_booted()
    {
        var entry = Path.Combine(_folder, "cache", "warm", Key(Image));
        Directory.CreateDirectory(entry);
        await File.WriteAllTextAsync(Path.Combine(entry, "machine.json"), """{"machineType": 7}""");

        Assert.That(await Warm(ApplianceStart.Auto).OpenAsync(Image, Accelerator.Tcg, CancellationToken.None), Is.Null);
        Assert.That(entry, Does.Not.Exist);
    }

    [Test]
    public async Task A_QEMU_that_cannot_be_saved_from_is_asked_once_and_leaves_nothing()
    {
        using var fakes = new FakeTools();
        fakes.Add("qemu-system-x86_64", "error no such device: vmgenid", "exit 1");
        var cache = new BuildCache(Path.Combine(_folder, "cache"), Logger.None);
        var launcher = new MachineLauncher(fakes.ToolBox, FirmwareFinder.OfHost, _folder, TimeProvider.System, Logger.None);
        var warm = new WarmAppliance(launcher, fakes.ToolBox, cache, ApplianceStart.Auto, TimeProvider.System, Logger.None);

        Assert.That(await warm.OpenAsync(Image, Accelerator.Tcg, CancellationToken.None), Is.Null);
        fakes.Add("qemu-system-x86_64", $"write {_folder}/asked-again x", "exit 1");
        Assert.That(await warm.OpenAsync(Image, Accelerator.Tcg, CancellationToken.None), Is.Null);

        Assert.That(Path.Combine(_folder, "asked-again"), Does.Not.Exist);
        Assert.That(Directory.EnumerateDirectories(Path.Combine(_folder, "cache", "warm")), Is.Empty);
    }

    private string Key(ApplianceImage image, Accelerator accelerator = Accelerator.Tcg) => Warm(ApplianceStart.Auto).KeyOf(image, accelerator);

    private WarmAppliance Warm(ApplianceStart start)
    {
        var tools = new ToolBox([_folder], Logger.None);
        var launcher = new MachineLauncher(tools, FirmwareFinder.OfHost, _folder, TimeProvider.System, Logger.None);
        return new WarmAppliance(launcher, tools, new BuildCache(Path.Combine(_folder, "cache"), Logger.None), start, TimeProvider.System, Logger.None);
    }
}
