using Crust.Installers;
using Crust.Seeds;
using Crust.Spec;
using Crust.Tests.Seeds;
using Crust.Tests.Spec;

namespace Crust.Tests.Installers;

public sealed class KernelPlanTests
{
    private static readonly string[] Ubuntu = ["casper/vmlinuz", "casper/initrd"];

    private readonly IsoSample _sample = new();

    [OneTimeTearDown]
    public void RemoveFiles() => _sample.Dispose();

    [TestCase(Arch.Amd64, "install.386/vmlinuz install.386/initrd.gz install.amd/vmlinuz install.amd/initrd.gz", "/install.amd/vmlinuz", "/install.amd/initrd.gz")]
    [TestCase(Arch.Arm64, "install.a64/vmlinuz install.a64/initrd.gz", "/install.a64/vmlinuz", "/install.a64/initrd.gz")]
    [TestCase(Arch.Amd64, "install/vmlinuz install/initrd.gz", "/install/vmlinuz", "/install/initrd.gz")]
    [TestCase(Arch.Amd64, "linux initrd.gz", "/linux", "/initrd.gz")]
    public async Task Debians_installer_is_found_where_its_media_have_it(Arch arch, string files, string kernel, string initrd) =>
        Assert.That(await ChooseAsync(Preseed(arch), files.Split(' ')), Is.EqualTo(new KernelPlan(kernel, initrd, "priority=critical")));

    [Test]
    public async Task A_preseed_without_a_kernel_that_it_could_reach_is_an_error()
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => ChooseAsync(Preseed(Arch.Amd64), Ubuntu)))!;

        ErrorAssert.Says(error, FailureKind.BadInput, "The installer's kernel isn't in the ISO where Crust looks for it: /install.amd/vmlinuz, /install/vmlinuz or /linux", error.Where,
            "name it and its initramfs: installer.boot.kernel and installer.boot.initrd, by their paths in the ISO; seed.kind preseed passes an installer its configuration through them");
    }

    [Test]
    public async Task What_the_user_names_wins_and_gets_the_arguments_that_it_lacks()
    {
        var spec = Preseed(Arch.Amd64);
        BuildSpec With(string? append) => spec with { Installer = new InstallerSpec { Iso = "x.iso", BootKernel = "k", BootInitrd = "i", BootAppend = append } };

        Assert.That(await ChooseAsync(With(null), []), Is.EqualTo(new KernelPlan("k", "i", "priority=critical")));
        Assert.That(await ChooseAsync(With("console=ttyS0 --- quiet"), []), Is.EqualTo(new KernelPlan("k", "i", "priority=critical console=ttyS0 --- quiet")));
        Assert.That(await ChooseAsync(With("priority=low"), []), Is.EqualTo(new KernelPlan("k", "i", "priority=low")));
    }

    [Test]
    public async Task Ubuntus_installer_starts_without_a_question_where_that_can_be_and_else_a_warning_says_how()
    {
        var spec = new BuildSpec { Seed = new SeedSpec { Kind = SeedKind.Autoinstall, Hostname = "x" } };
        var typed = spec with { Installer = new InstallerSpec { BootKeys = ["e"] } };

        using (Assert.EnterMultipleScope())
        {
            Assert.That(await ChooseAsync(spec, Ubuntu), Is.EqualTo(new KernelPlan("/casper/vmlinuz", "/casper/initrd", "autoinstall")));
            Assert.That(await ChooseAsync(typed, Ubuntu), Is.Null);
            Assert.That(await ChooseAsync(spec with { Machine = spec.Machine with { Firmware = Firmware.UefiSecure } }, Ubuntu), Is.Null);
            Assert.That(await ChooseAsync(spec with { Machine = spec.Machine with { OnReboot = OnReboot.Continue } }, Ubuntu), Is.Null);
            Assert.That(await ChooseAsync(spec, ["other"]), Is.Null);
            Assert.That(KernelPlan.WarningOf(null, spec, SeedOf(spec)), Does.Contain("doesn't get 'autoinstall'").And.Contain("installer.boot.keys"));
            Assert.That(KernelPlan.WarningOf(null, typed, SeedOf(typed)), Is.Null);
            Assert.That(KernelPlan.WarningOf(null, new BuildSpec(), SeedOf(new BuildSpec())), Is.Null);
        }
    }

    [Test]
    public async Task Other_kinds_start_with_the_boot_loader_of_the_ISO() => Assert.That(await ChooseAsync(new BuildSpec(), Ubuntu), Is.Null);

    [TestCase(4096)]
    [TestCase(4093)]
    public async Task What_is_appended_to_an_initramfs_begins_where_the_kernel_looks_for_it_and_the_result_is_private(int length)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_sample.Folder, $"{length}")).FullName;
        var iso = await _sample.WriteAsync("DI", ("install.amd/vmlinuz", "kernel"), ("install.amd/initrd.gz", new string('i', length)));
        var archive = Path.Combine(folder, "archive");
        await File.WriteAllTextAsync(archive, "070701");

        using var kernel = await new IsoFiles(IsoSample.Tools).TakeKernelAsync(new KernelPlan("/install.amd/vmlinuz", "/install.amd/initrd.gz", ""), iso, archive, folder, CancellationToken.None);

        var initrd = kernel!.Boot.Initramfs!;
        Assert.That(await File.ReadAllTextAsync(initrd), Is.EqualTo(new string('i', length) + new string('\0', 4096 - length) + "070701"));
        Assert.That(File.GetUnixFileMode(initrd), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    private BuildSpec Preseed(Arch arch)
    {
        var file = Path.Combine(_sample.Folder, "preseed.cfg");
        File.WriteAllText(file, "d-i debian-installer/locale string en_US.UTF-8\n");
        return new() { Machine = new MachineSpec { Arch = arch }, Seed = new SeedSpec { Kind = SeedKind.Preseed, UserData = [file] } };
    }

    private static Seed SeedOf(BuildSpec spec) => Seed.Compose(spec, SeedFiles.Read(spec.Seed), null, SeedSample.Instance);

    private async Task<KernelPlan?> ChooseAsync(BuildSpec spec, string[] files)
    {
        var iso = await _sample.WriteAsync("ISO", files.Select(file => (file, "")));
        return KernelPlan.Choose(InstallerSample.Iso with { Path = iso }, spec, SeedOf(spec));
    }
}
