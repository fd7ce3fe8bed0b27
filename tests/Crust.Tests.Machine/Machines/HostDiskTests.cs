using Crust.Installers;
using Crust.Isos;
using Crust.Machines;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Machine.Guests;
using Serilog.Core;

namespace Crust.Tests.Machine.Machines;

/// <summary>The host's own disk, when it fails under a guest.</summary>
[Parallelizable(ParallelScope.Self)]
[CancelAfter(120_000)]
public sealed class HostDiskTests
{
    private string _folder = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-disk-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task A_host_disk_that_becomes_full_under_the_guest_is_told_at_once_and_as_such()
    {
        using var small = await SmallFileSystem.MountAsync(Path.Combine(_folder, "small"), "16k", Cancellation);
        var iso = await StubGuests.IsoAsync(StubGuest.Installs, _folder, Cancellation);
        var disk = Path.Combine(small.Path, "disk.raw");
        await using (var file = File.Create(disk))
        {
            file.SetLength(64 << 20);
        }

        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, _folder, TimeProvider.System, Logger.None);
        var error = await Assert.ThrowsAsync<CrustException>(async () =>
            await new InstallRun(launcher, new GuestScreen(Host.Tools, isWanted: false, hasDisplay: false), new NoObserver(), TimeProvider.System, Logger.None).RunAsync(new(await InspectAsync(iso), new SeedDelivery(), disk,
                new MachineSpec { Memory = 256 << 20, Deadline = TimeSpan.FromMinutes(1) }, Accelerator.Tcg, RunFiles.Draft(_folder, Path.Combine(_folder, "host-disk"))), Cancellation));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.InputOutput, "This host's disk became full while the installer installs.iso was writing")));
        Assert.That(error.Remedy, Does.Contain("free space"));
    }

    [Test]
    public async Task A_folder_of_sockets_without_room_for_UEFI_variables_is_told_and_nothing_is_left_in_it()
    {
        using var small = await SmallFileSystem.MountAsync(Path.Combine(_folder, "small"), "64k", Cancellation);
        var launcher = new MachineLauncher(Host.Tools, FirmwareFinder.OfHost, small.Path, TimeProvider.System, Logger.None);

        var error = await Assert.ThrowsAsync<CrustException>(async () => await launcher.StartAsync(
            new MachineDescription { Name = "test", Accelerator = Accelerator.Tcg, Firmware = Firmware.Uefi, Drives = [] }, Path.Combine(_folder, "serial.log"), Cancellation));

        Assert.That((error!.Kind, error.What), Is.EqualTo((FailureKind.HostLacks, "The machine's UEFI variables can't be copied: No space left on device")), error.ToString());
        Assert.That(error.Remedy, Does.Contain("XDG_RUNTIME_DIR"));
        Assert.That(Directory.EnumerateFileSystemEntries(small.Path), Is.Empty);
    }

    private static async Task<InstallerIso> InspectAsync(string iso) =>
        await new InstallerSource(Path.GetDirectoryName(iso)!, new NoObserver(), TimeProvider.System, Logger.None).GetAsync(new InstallerSpec { Iso = iso }, Cancellation);
}
