using System.Text.Json;
using Crust.Cli;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>Builds at the same time in one checkout.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TogetherTests : FaultFixture
{
    [Test]
    public async Task Builds_of_different_specs_at_once_all_succeed_and_the_checksums_hold_all_of_them()
    {
        var iso = await IsoAsync(StubGuest.Installs);
        ImagesMayChange();

        var results = await Task.WhenAll(Enumerable.Range(1, 4).Select(i =>
            Crust.RunAsync(Cancellation, [.. Arguments(iso), "--name", $"edge{i}", "--cpus", $"{i}", "--format", "qcow2"])));

        Assert.That(results.Select(result => result.ExitCode), Is.All.Zero, string.Concat(results.Select(result => result.Error)));
        await AssertChecksumsHoldAsync("edge1.qcow2", "edge2.qcow2", "edge3.qcow2", "edge4.qcow2", "edge4.img.bmap");
    }

    [Test]
    public async Task Builds_of_one_spec_at_once_install_once_and_leave_one_whole_image()
    {
        var iso = await IsoAsync(StubGuest.Installs);
        ImagesMayChange();

        var results = await Task.WhenAll(Enumerable.Range(1, 4).Select(_ => Crust.RunAsync(Cancellation, [.. Arguments(iso), "--format", "qcow2,vhd"])));

        Assert.That(results.Select(result => result.ExitCode), Is.All.Zero, string.Concat(results.Select(result => result.Error)));
        Assert.That(results.Count(result => result.Error.Contains("from the cache; the installer wasn't booted", StringComparison.Ordinal)), Is.EqualTo(3));
        // A sparse image's checksums are in its map.
        await AssertChecksumsHoldAsync("installs.img.bmap", "installs.qcow2", "installs.vhd.bmap");
        var again = await Crust.RunAsync(Cancellation, [.. Arguments(iso), "--format", "qcow2,vhd"]);
        Assert.That(again.Error, Does.Contain("up to date"), "the manifest is that of the images");
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Crust.Image("installs.manifest.json"), Cancellation));
        Assert.That(manifest.RootElement.GetProperty("images").GetArrayLength(), Is.EqualTo(3));
    }

    [Test]
    public async Task A_build_lets_go_of_the_disk_before_it_writes_the_formats_so_that_one_that_waits_for_the_disk_can_go_on()
    {
        var iso = await IsoAsync(StubGuest.Installs);
        ImagesMayChange();
        var environment = HostEnvironment.From(HostEnvironment.Read().Variables.SetItem("CRUST_CACHE", Crust.Cache).SetItem("XDG_RUNTIME_DIR", Crust.Runtime));
        var locks = new LocksAtFormats(Path.Combine(Crust.Cache, "disks"));
        await using var services = new CrustServices(environment, Crust.Images, locks);

        await services.Build.RunAsync(new BuildSpec
        {
            Name = "edge",
            Installer = new InstallerSpec { Iso = iso },
            Machine = new MachineSpec { Disk = 64 << 20, Memory = 128 << 20, Accelerator = Accelerator.Tcg, Deadline = TimeSpan.FromMinutes(1) },
            Trim = false,
            Inspect = false,
        }, Cancellation);

        Assert.That(locks.AreFree, Is.EqualTo(new[] { true }));
    }

    private async Task AssertChecksumsHoldAsync(params string[] files)
    {
        var checkedFiles = await Host.RunAsync("sh", ["-c", $"cd '{Crust.Images}' && grep -v 'earlier build' SHA256SUMS | sha256sum -c -"], Cancellation);
        Assert.That(files.Select(file => $"{file}: OK"), Is.SubsetOf(checkedFiles.Split('\n')));
    }

    // Looks at the disks' locks when the first format is about to be written.
    private sealed class LocksAtFormats(string disks) : IBuildObserver
    {
        public bool[] AreFree { get; private set; } = [];

        public void Observe(BuildEvent buildEvent)
        {
            if (buildEvent is BuildEvent.Started { Stage: Stage.Formats })
            {
                AreFree = [.. Directory.EnumerateFiles(disks, "*.lock").Select(IsFree)];
            }
        }

        private static bool IsFree(string path)
        {
            using var held = FileLock.TryAcquire(path);
            return held is not null;
        }
    }
}
