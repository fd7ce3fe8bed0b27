using Crust.Appliance;
using Crust.Installers;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Machine.Layers;
using Serilog.Core;

namespace Crust.Tests.Machine;

/// <summary>
/// The main job for arm64, on whatever host: a reference installer is built from Debian's packages for arm64, installed on QEMU's `virt`, and booted. Its list of
/// packages is short, since all is emulated: the kernel is Debian's for clouds, and cloud-init isn't there. In `make test`, FlashTests build an image for arm64 with a medium of the appliance
/// as the installer.
/// </summary>
[Category("Long")]
[Parallelizable(ParallelScope.Self)]
[CancelAfter(1_500_000)]
public sealed class ArmTests
{
    private static readonly string[] Packages =
    [
        "systemd-sysv", "udev", "dbus", "zstd", "grub2-common", "shim-signed", "python3-yaml", "systemd-resolved", "systemd-timesyncd", "e2fsprogs",
    ];

    private static readonly string[] ArmPackages = ["linux-image-cloud-arm64", "grub-efi-arm64-bin", "grub-efi-arm64-signed"];

    private static readonly CrustProcess Crust = new();
    private static CrustResult _build = null!;

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task Install()
    {
        Crust.ShareDearThings();
        var installer = await ShortInstallerAsync();
        TestContext.Out.WriteLine($"{DateTime.Now:T} installer");

        _build = await Crust.RunAsync(CancellationToken.None, "build", "--arch", "arm64", "--iso", installer, "--name", "edge", "--disk-size", "3G", "--memory", "1G",
            "--format", "qcow2");
        Assert.That(_build.ExitCode, Is.Zero, _build.Error);
        TestContext.Out.WriteLine($"{DateTime.Now:T} installed");
    }

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task What_was_installed_boots_to_its_login()
    {
        var result = await Crust.RunAsync(Cancellation, "verify", "--arch", "arm64", "--memory", "1G", "images/edge.qcow2");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
    }

    /// <summary>A base of another architecture than this host's, baked: its own programs run for the layers, on a machine that is emulated.</summary>
    [Test]
    public async Task What_was_installed_is_a_base_and_its_layers_run_its_own_programs()
    {
        Directory.CreateDirectory(Path.Combine(Crust.Folder, "overlay/etc"));
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "overlay/etc/issue"), "A baked board\n\n", Cancellation);
        await SamplePackage.WriteAsync(Path.Combine(Crust.Folder, "overlay/opt/packages"), Cancellation);
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "setup.sh"),
            "#!/bin/sh\nset -e\ndpkg -i /opt/packages/crust-sample.deb\ndpkg -s crust-sample >/dev/null\necho \"$(cat /etc/issue | head -n 1) of $(uname -m)\" >/etc/issue\n", Cancellation);
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), """
            version: 1
            name: baked
            base: { image: images/edge.qcow2 }
            machine: { arch: arm64, disk: 3G, memory: 1G }
            layers: [{ files: overlay/ }, { script: setup.sh }]
            formats: [img, qcow2]
            verify: { expect: "A baked board of aarch64" }
            """, Cancellation);

        var result = await Crust.RunAsync(Cancellation, "build", "--trim", "true", "--inspect", "true", "--tidy", "auto", "--verify", "true");

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((0, "images/baked.img\nimages/baked.qcow2\n")), result.Error);
    }

    // A copy of `builder/` with a list of packages of its own.
    private static async Task<string> ShortInstallerAsync()
    {
        var builder = Path.Combine(Crust.Folder, "builder");
        await Host.RunAsync("cp", ["-r", Folders.BuilderBesideProgram, builder], CancellationToken.None);
        var system = Path.Combine(builder, "reference", "system");
        await File.WriteAllLinesAsync(Path.Combine(system, "packages.list"), Packages);
        await File.WriteAllLinesAsync(Path.Combine(system, "packages.arm64.list"), ArmPackages);

        var cache = new BuildCache(Crust.Cache, Logger.None);
        var folders = new Folders { Images = Crust.Images, Cache = Crust.Cache, Runtime = Crust.Runtime, Builder = builder };
        var appliance = new ApplianceBuilder(Host.Tools, cache, folders, new NoObserver());
        var iso = await new ReferenceInstaller(Host.Tools, cache, folders, appliance, new NoObserver()).GetAsync(Arch.Arm64, CancellationToken.None);
        Assert.That((iso.BootsBios, iso.BootsUefi), Is.EqualTo((false, true)));
        return iso.Path;
    }
}
