using Crust.Host;
using Crust.Installers;
using Crust.Isos;
using Crust.Planning;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Installers;
using Crust.Tests.Spec;
using Crust.Tools;
using Serilog.Core;

namespace Crust.Tests.Host;

[CancelAfter(60_000)]
public sealed class PreflightTests : HostFixture
{
    private static readonly MachineSpec Machine = new() { Accelerator = Accelerator.Tcg };

    [Test]
    public async Task A_host_that_has_all_is_ready_and_its_folders_are_made()
    {
        var ready = await CheckAsync(Sample.Spec);

        Assert.That(ready.Accelerator.Used, Is.EqualTo(Accelerator.Tcg));
        Assert.That(ready.Warnings, Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(Sample.Folders.Images), Is.Empty);
        Assert.That(Directory.EnumerateFileSystemEntries(Sample.Folders.Cache), Is.Empty);
    }

    [TestCase("qemu-system-x86_64", "qemu-system-x86")]
    [TestCase("qemu-img", "qemu-utils")]
    [TestCase("xorriso", "xorriso")]
    public async Task A_missing_program_is_named_with_its_package(string program, string package)
    {
        Sample.Fakes.Remove(program);

        ErrorAssert.Says(await FailAsync(Sample.Spec),
            FailureKind.HostLacks, $"The program '{program}' isn't installed", "searched in PATH and the sbin folders", $"install it: apt-get install {package}");
    }

    [Test]
    public async Task All_problems_are_told_at_once_with_one_command_for_all_that_is_missing()
    {
        Sample.Fakes.Remove("xorriso");
        Sample.Fakes.Remove("qemu-img");
        Sample.Missing.Add(HostLibrary.Zstd);
        var spec = Sample.Spec with { Formats = ["img.zst"], Machine = Sample.Spec.Machine with { Memory = 20L << 30 } };

        var error = await FailAsync(spec);

        ErrorAssert.Says(error, FailureKind.HostLacks, "4 things keep this host from building it", "memory, qemu-img, xorriso, libzstd",
            "install what is missing: apt-get install libzstd1 qemu-utils xorriso; and mend the others, as said below");
        Assert.That(error.Detail.Split('\n'), Is.EqualTo(new[]
        {
            "The machine's memory of 20.0 GiB doesn't fit: this host has 16.0 GiB in all",
            "  where: machine.memory",
            "  to do: set machine.memory (--memory) to 16128M or less",
            "The program 'qemu-img' isn't installed",
            "  where: searched in PATH and the sbin folders",
            "  to do: install it: apt-get install qemu-utils",
            "The program 'xorriso' isn't installed",
            "  where: searched in PATH and the sbin folders",
            "  to do: install it: apt-get install xorriso",
            "The library libzstd isn't installed (img.zst)",
            "  where: libzstd.so.1",
            "  to do: install it: apt-get install libzstd1",
        }));
    }

    [Test]
    public async Task Warnings_do_not_stop_a_build_and_come_with_their_remedies()
    {
        var ready = await CheckAsync(Sample.Spec with { Machine = Sample.Spec.Machine with { Memory = 14L << 30 } });

        Assert.That(ready.Warnings.Single(), Does.StartWith("Memory is tight").And.Contain("To mend it: end other programs, or set machine.memory (--memory) to"));
    }

    [Test]
    public async Task A_machine_with_a_TPM_needs_swtpm() =>
        Assert.That((await FailAsync(Sample.Spec with { Machine = Machine with { Tpm = true } })).Remedy, Is.EqualTo("install it: apt-get install swtpm"));

    [Test]
    public async Task Missing_firmware_is_told_to_who_asks_for_it() => Assert.That(
        (await FailAsync(Sample.Spec with { Machine = Machine with { Firmware = Firmware.Uefi } })).Remedy, Is.EqualTo("install it: apt-get install ovmf"));

    [Test]
    public async Task Images_that_cannot_be_written_are_told_before_anything_is_done()
    {
        await File.WriteAllTextAsync(Sample.Folders.Images, "", Cancellation);

        await CheckUnwritableAsync(Sample.Folders.Images, "make it writable, or choose another with --output");
    }

    [Test]
    public async Task A_cache_that_cannot_be_written_is_told_before_anything_is_done()
    {
        await File.WriteAllTextAsync(Sample.Folders.Cache, "", Cancellation);

        await CheckUnwritableAsync(Sample.Folders.Cache, "make it writable, or set CRUST_CACHE to a folder that is");
    }

    [Test]
    public async Task A_runtime_folder_that_is_not_there_is_told()
    {
        Sample.Folders = Sample.Folders with { Runtime = Sample.Fakes.FileFor("none") };

        await CheckUnwritableAsync(Sample.Folders.Runtime, "set XDG_RUNTIME_DIR or TMPDIR to a folder that can be written",
            "The private folder for QEMU's sockets can't be made: it doesn't exist");
    }

    [Test]
    public async Task A_runtime_folder_whose_path_is_too_long_for_sockets_is_told()
    {
        Sample.Folders = Sample.Folders with { Runtime = Sample.Fakes.FileFor(new string('x', 100)) };

        ErrorAssert.Says(await FailAsync(Sample.Spec), FailureKind.HostLacks, "The path for QEMU's sockets is longer than the 107 bytes that Linux allows",
            Sample.Folders.Runtime, "set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path");
    }

    [Test]
    public async Task A_shortage_of_space_that_is_only_an_estimate_is_a_warning_since_the_build_finds_out_itself()
    {
        Sample.Look = _ => new FolderSpace(1, 1000, Clones: false);

        Assert.That((await CheckAsync(Sample.Spec)).Warnings.Single(), Does.StartWith("There is too little space for the installed disk and the images: about 51"));
    }

    [Test]
    public async Task A_shortage_of_space_for_an_installer_whose_checksum_is_known_is_a_problem()
    {
        Sample.Look = _ => new FolderSpace(1, 1000, Clones: false);
        await KnowAsync();

        Assert.That((await FailAsync(Sample.Spec)).What, Does.StartWith("There is too little space for the installed disk and the images"));
    }

    [Test]
    public async Task An_estimate_is_told_among_other_problems()
    {
        Sample.Look = _ => new FolderSpace(1, 1000, Clones: false);
        Sample.Fakes.Remove("xorriso");

        Assert.That((await FailAsync(Sample.Spec)).Where, Is.EqualTo("xorriso, disk, images"));
    }

    [Test]
    public async Task The_space_of_a_folder_that_cannot_be_written_is_nobodys_concern()
    {
        Sample.Look = folder => new FolderSpace(folder == Sample.Folders.Cache ? 1ul : 2ul, folder == Sample.Folders.Cache ? 1000 : 1L << 40, Clones: false);
        await File.WriteAllTextAsync(Sample.Folders.Cache, "", Cancellation);

        Assert.That((await FailAsync(Sample.Spec)).What, Does.StartWith("The folder can't be written: "));
    }

    [Test]
    public void Too_little_space_for_an_installer_that_is_there_is_an_error()
    {
        Sample.Look = folder => new FolderSpace(folder == Sample.Folders.Cache ? 1ul : 2ul, 1L << 20, Clones: false);

        var error = Assert.Throws<CrustException>(() => Sample.Preflight.CheckSpace(Sample.Spec, InstallerSample.Iso, 0, HostSample.Forecast("img").ToWrite))!;

        Assert.That(error.What, Is.EqualTo("2 things keep this host from building it"));
        Assert.That(error.Detail, Does.Contain("There is too little space for the installed disk: about 2.6 GiB are needed, 1.0 MiB are free")
            .And.Contain("There is too little space for the images: about 2.1 GiB are needed, 1.0 MiB are free"));
    }

    [Test]
    public void Enough_space_is_no_error() =>
        Assert.That(() => Sample.Preflight.CheckSpace(Sample.Spec, InstallerSample.Iso, 0, HostSample.Forecast("img").ToWrite), Throws.Nothing);

    [Test]
    public async Task An_installer_that_does_not_fit_the_machine_is_bad_input_once_it_is_known()
    {
        await File.WriteAllBytesAsync(Sample.Iso, IsoBytes.With("EDGE", 0x00), Cancellation);
        await KnowAsync();

        Assert.That((await FailAsync(Sample.Spec with { Machine = Machine with { Firmware = Firmware.Uefi } })).Kind, Is.EqualTo(FailureKind.BadInput));
    }

    [Test]
    public void An_installer_that_boots_under_both_firmwares_fits_each_machine([Values] Firmware firmware) =>
        Assert.That(() => BuildRules.CheckInstaller(InstallerSample.Iso, new BuildSpec { Machine = Machine with { Firmware = firmware } }), Throws.Nothing);

    [TestCase(Firmware.Bios, "The installer ISO has no boot image for BIOS", "set machine.firmware to uefi (--firmware uefi)")]
    [TestCase(Firmware.UefiSecure, "The installer ISO has no boot image for UEFI", "set machine.firmware to bios (--firmware bios)")]
    [TestCase(Firmware.Uefi, "The installer ISO has no boot image for UEFI", "set machine.firmware to bios (--firmware bios)")]
    public void An_installer_for_the_other_firmware_is_told(Firmware firmware, string what, string remedy)
    {
        var iso = InstallerSample.Iso with { BootsBios = firmware is not Firmware.Bios, BootsUefi = firmware is Firmware.Bios };

        ErrorAssert.Says(Assert.Throws<CrustException>(() => BuildRules.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Firmware = firmware } }))!,
            FailureKind.BadInput, what, "/iso/edge.iso", remedy);
    }

    [Test]
    public void An_installer_whose_kernel_is_started_needs_no_boot_image_for_the_firmware() => Assert.That(
        () => BuildRules.CheckInstaller(InstallerSample.Iso with { BootsBios = false }, new BuildSpec { Machine = Machine, Installer = new InstallerSpec { BootKernel = "/vmlinuz" } }), Throws.Nothing);

    [Test]
    public void A_disk_that_is_too_small_for_the_installer_is_told_with_what_it_needs()
    {
        var iso = InstallerSample.Iso with { MinimumDisk = 3L << 30 };

        Assert.That(() => BuildRules.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Disk = 3L << 30 } }), Throws.Nothing);
        ErrorAssert.Says(Assert.Throws<CrustException>(() => BuildRules.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Disk = 2L << 30 } }))!,
            FailureKind.BadInput, "The disk of 2.0 GiB is too small: this installer needs 3.0 GiB", "machine.disk", "set machine.disk (DISK_SIZE, --disk-size) to 3G or more");
    }

    [Test]
    public void Memory_that_is_too_little_for_the_installer_is_told_with_what_it_needs()
    {
        var iso = InstallerSample.Iso with { MinimumMemory = 512L << 20 };

        Assert.That(() => BuildRules.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Memory = 512L << 20 } }), Throws.Nothing);
        ErrorAssert.Says(Assert.Throws<CrustException>(() => BuildRules.CheckInstaller(iso, new BuildSpec { Machine = Machine with { Memory = 256L << 20 } }))!,
            FailureKind.BadInput, "The machine's memory of 256.0 MiB is too little: this installer needs 512.0 MiB", "machine.memory (default)", "set machine.memory (--memory) to 512M or more");
    }

    private async Task CheckUnwritableAsync(string folder, string remedy, string what = "The folder can't be written: ")
    {
        var error = await FailAsync(Sample.Spec);

        ErrorAssert.Says(error, FailureKind.HostLacks, error.What, folder, remedy);
        Assert.That(error.What, Does.StartWith(what));
    }

    // As an earlier build would.
    private Task<InstallerIso> KnowAsync() => new InstallerSource(Sample.Folders.Cache, new EventList(), TimeProvider.System, Logger.None).GetAsync(Sample.Spec.Installer, Cancellation);

    private Task<HostReadiness> CheckAsync(BuildSpec spec) => Sample.Preflight.CheckAsync(spec, Cancellation);

    private async Task<CrustException> FailAsync(BuildSpec spec) => (await Assert.ThrowsAsync<CrustException>(() => CheckAsync(spec)))!;
}
