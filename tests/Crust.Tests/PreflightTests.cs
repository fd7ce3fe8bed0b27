using Crust.Machines;
using Crust.Spec;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests;

[CancelAfter(60_000)]
public sealed class PreflightTests
{
    private static readonly MachineSpec Machine = new() { Accelerator = Accelerator.Tcg };

    private FakeTools _fakes = null!;
    private Folders _folders = null!;

    [SetUp]
    public void SetUp()
    {
        _fakes = new FakeTools();
        foreach (var program in new[] { "qemu-system-x86_64", "qemu-img", "xorriso" })
        {
            _fakes.Add(program, "exit 0");
        }

        _folders = new Folders { Images = _fakes.FileFor("images"), Cache = _fakes.FileFor("cache"), Runtime = _fakes.Folder, Builder = _fakes.Folder };
    }

    [TearDown]
    public void TearDown() => _fakes.Dispose();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task A_host_that_has_all_is_ready_and_its_folders_are_made()
    {
        var ready = await CheckAsync(Machine);

        Assert.That(ready.Accelerator.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(Directory.EnumerateFileSystemEntries(_folders.Images), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(_folders.Cache), Is.Empty);
    }

    [TestCase("qemu-system-x86_64", "qemu-system-x86")]
    [TestCase("qemu-img", "qemu-utils")]
    [TestCase("xorriso", "xorriso")]
    public async Task A_missing_program_is_named_with_its_package(string program, string package)
    {
        _fakes.Remove(program);

        ErrorAssert.Says((await Assert.ThrowsAsync<ToolMissingException>(() => CheckAsync(Machine)))!,
            FailureKind.HostLacks, $"The program '{program}' isn't installed", "searched in PATH and the sbin folders", $"install it: apt-get install {package}");
    }

    [Test]
    public async Task A_machine_with_a_TPM_needs_swtpm() =>
        Assert.That((await Assert.ThrowsAsync<ToolMissingException>(() => CheckAsync(Machine with { Tpm = true })))!.Remedy, Is.EqualTo("install it: apt-get install swtpm"));

    [Test]
    public async Task An_arm64_build_needs_its_own_QEMU() =>
        Assert.That((await Assert.ThrowsAsync<ToolMissingException>(() => CheckAsync(Machine with { Arch = Arch.Arm64 })))!.Program, Is.EqualTo("qemu-system-aarch64"));

    [Test]
    public async Task Missing_firmware_is_told_to_who_asks_for_it()
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => CheckAsync(Machine with { Firmware = Firmware.Uefi })))!;

        Assert.That((error.Kind, error.Remedy), Is.EqualTo((FailureKind.HostLacks, "install it: apt-get install ovmf")));
    }

    [Test]
    public async Task Images_that_cannot_be_written_are_told_before_anything_is_done()
    {
        await File.WriteAllTextAsync(_folders.Images, "", Cancellation);

        await CheckUnwritableAsync(_folders.Images, "make it writable, or choose another with --output");
    }

    [Test]
    public async Task A_cache_that_cannot_be_written_is_told_before_anything_is_done()
    {
        await File.WriteAllTextAsync(_folders.Cache, "", Cancellation);

        await CheckUnwritableAsync(_folders.Cache, "make it writable, or set CRUST_CACHE to a folder that is");
    }

    [Test]
    public void Too_little_space_is_told_with_what_is_needed_and_what_is_free()
    {
        Directory.CreateDirectory(_folders.Cache);

        var error = Assert.Throws<CrustException>(() => Preflight().CheckSpace(InstallerSample.Iso with { Size = 1L << 60 }))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.HostLacks));
        Assert.That(error.What, Does.Match(@"^There is too little space for the installed disk: about 3145728\.0 TiB are needed, [0-9.]+ .iB are free$"));
        Assert.That(error.Where, Is.EqualTo(_folders.Cache));
        Assert.That(error.Remedy, Does.Match(@"^free [0-9.]+ TiB, for instance with 'crust clean', or set CRUST_CACHE to another file system$"));
    }

    [Test]
    public void Enough_space_is_no_error()
    {
        Directory.CreateDirectory(_folders.Cache);

        Assert.That(() => Preflight().CheckSpace(InstallerSample.Iso with { Size = 0 }), Throws.Nothing);
    }

    [Test]
    public void An_installer_that_boots_under_both_firmwares_fits_each_machine([Values] Firmware firmware) =>
        Assert.That(() => Crust.Preflight.CheckInstaller(InstallerSample.Iso, new BuildSpec { Machine = Machine with { Firmware = firmware } }), Throws.Nothing);

    [TestCase(Firmware.Bios, "The installer ISO has no boot image for BIOS", "set machine.firmware to uefi (--firmware uefi)")]
    [TestCase(Firmware.Uefi, "The installer ISO has no boot image for UEFI", "set machine.firmware to bios (--firmware bios)")]
    public void An_installer_for_the_other_firmware_is_told(Firmware firmware, string what, string remedy)
    {
        var iso = InstallerSample.Iso with { BootsBios = firmware is not Firmware.Bios, BootsUefi = firmware is not Firmware.Uefi };

        ErrorAssert.Says(Assert.Throws<CrustException>(() => Crust.Preflight.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Firmware = firmware } }))!,
            FailureKind.BadInput, what, "/iso/edge.iso", remedy);
    }

    [Test]
    public void An_installer_whose_kernel_is_started_needs_no_boot_image_for_the_firmware() => Assert.That(
        () => Crust.Preflight.CheckInstaller(InstallerSample.Iso with { BootsBios = false }, new BuildSpec { Machine = Machine, Installer = new InstallerSpec { BootKernel = "/vmlinuz" } }), Throws.Nothing);

    [Test]
    public void A_disk_that_is_too_small_for_the_installer_is_told_with_what_it_needs()
    {
        var iso = InstallerSample.Iso with { MinimumDisk = 3L << 30 };

        Assert.That(() => Crust.Preflight.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Disk = 3L << 30 } }), Throws.Nothing);
        ErrorAssert.Says(Assert.Throws<CrustException>(() => Crust.Preflight.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Disk = 2L << 30 } }))!,
            FailureKind.BadInput, "The disk of 2.0 GiB is too small: this installer needs 3.0 GiB", "machine.disk", "set machine.disk (DISK_SIZE, --disk-size) to 3G or more");
    }

    private async Task CheckUnwritableAsync(string folder, string remedy)
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => CheckAsync(Machine)))!;

        ErrorAssert.Says(error, FailureKind.HostLacks, error.What, folder, remedy);
        Assert.That(error.What, Does.StartWith("The folder can't be written: "));
    }

    private Task<HostReadiness> CheckAsync(MachineSpec machine) => Preflight().CheckAsync(machine, Cancellation);

    private Preflight Preflight() => new(_fakes.ToolBoxWithNothingElse, new FirmwareFinder(_fakes.FileFor("no-descriptors")),
        new AcceleratorProbe(_fakes.ToolBoxWithNothingElse, _folders.Cache, Logger.None), _folders);
}
