namespace Crust.Tests.Machine.Bases;

/// <summary>A root file system that mmdebstrap has made here, laid onto a disk in the appliance, and booted under BIOS and under UEFI.</summary>
[CancelAfter(1_500_000)]
[StartsEarly(2)]
public sealed class RootTests
{
    private const string Packages = "linux-image-cloud-amd64,systemd-sysv,udev,login,grub2-common,grub-pc-bin,shim-signed,grub-efi-amd64-signed,grub-efi-amd64-bin";

    private static readonly CrustProcess Crust = new() { CaresForDisks = true };

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [OneTimeSetUp]
    public async Task MakeRoot()
    {
        Crust.ShareDearThings();
        var tar = Path.Combine(Crust.Folder, "edge.tar");
        await Host.RunAsync("mmdebstrap", ["--quiet", "--variant=minbase", $"--include={Packages}",
            "--customize-hook=echo 'GRUB_CMDLINE_LINUX=\"console=tty0 console=ttyS0,115200\"\nGRUB_TERMINAL=\"console serial\"' >> \"$1/etc/default/grub\"",
            "--customize-hook=echo edge-root > \"$1/etc/hostname\"", "bookworm", tar], CancellationToken.None);
        await Host.RunAsync("zstd", ["-q", "--rm", "-T0", "-3", tar], CancellationToken.None);
    }

    [OneTimeTearDown]
    public void TearDown() => Crust.Dispose();

    [Test]
    public async Task A_root_file_system_becomes_images_that_boot_under_BIOS_and_under_UEFI()
    {
        await File.WriteAllTextAsync(Path.Combine(Crust.Folder, "crust.yaml"), """
            version: 1
            base: { rootfs: edge.tar.zst, layout: gpt }
            machine: { disk: 3G, memory: 1G }
            formats: [img, qcow2]
            verify: { expect: "edge-root login:" }
            """, Cancellation);

        var bios = await Crust.RunAsync(Cancellation, "build");
        var uefi = await Crust.RunAsync(Cancellation, "build", "--firmware", "uefi-secure", "--format", "img");

        Assert.That((bios.ExitCode, bios.Output), Is.EqualTo((0, "images/edge.img\nimages/edge.qcow2\n")), bios.Error);
        Assert.That((uefi.ExitCode, uefi.Output), Is.EqualTo((0, "images/edge.img\n")), uefi.Error);
        Assert.That(uefi.Error, Does.Contain("from the cache").And.Contain("img is up after"), "firmware makes no other disk");
    }
}

/// <summary>Archives that no disk can be made of; the appliance says so.</summary>
[CancelAfter(600_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class BadRootTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [TestCase("touch sbin/init", "512M", "the root file system has no kernel in /boot")]
    [TestCase("rm -r sbin", "512M", "the root file system has no /sbin/init")]
    [TestCase("touch sbin/init; head -c 400000000 /dev/urandom >large", "400M", "No space left on device")]
    [TestCase("touch sbin/init; ln -s /dev dev; mkdir boot; touch boot/vmlinuz-1", "512M", "the root file system has no grub-mkconfig")]
    public async Task An_archive_that_makes_no_system_is_refused_in_words(string script, string disk, string what)
    {
        _crust.ShareDearThings();
        await Host.RunAsync("sh", ["-c", $"cd '{_crust.Folder}' && mkdir -p bare/sbin && cd bare && {script.Replace("sbin/init", "sbin/init && chmod +x sbin/init", StringComparison.Ordinal)} && tar -cf ../bare.tar ."], Cancellation);

        var result = await _crust.RunAsync(Cancellation, "build", "--rootfs", "bare.tar", "--disk-size", disk);

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")), result.Error);
        Assert.That(result.Error, Does.Contain(what).And.Match("where: .*bare.tar"));
        Assert.That(_crust.Products, Has.None.StartsWith("bare.img"));
    }

    [TestCase("head -c 1000 bare.tar >cut.tar", "The archive is cut off")]
    [TestCase("echo text >cut.tar", "This is no tar archive of a root file system")]
    [TestCase("gzip -c bare.tar | head -c 100 >cut.tar", "The image can't be unpacked")]
    public async Task One_that_is_none_is_refused_before_a_machine_starts(string script, string what)
    {
        await Host.RunAsync("sh", ["-c", $"cd '{_crust.Folder}' && mkdir -p bare && head -c 20000 /dev/urandom >bare/file && tar -C bare -cf bare.tar . && {script}"], Cancellation);

        var result = await _crust.RunAsync(Cancellation, "build", "--rootfs", "cut.tar", "--disk-size", "512M");

        Assert.That((result.ExitCode, result.Output), Is.EqualTo((2, "")), result.Error);
        Assert.That(result.Error, Does.Contain(what));
    }
}
