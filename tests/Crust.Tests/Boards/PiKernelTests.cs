using Crust.Tools;

namespace Crust.Tests.Boards;

/// <summary>The kernel on first start, in a folder that stands for a Pi's root. What the firmware does then is the test's own word: no real board is here.</summary>
[CancelAfter(60_000)]
public sealed class PiKernelTests
{
    private const string Old = "6.12.9-arm64";
    private const string New = "6.18.15+deb13-arm64";
    private const string Boot = "boot/firmware";
    private const string State = "var/lib/crust/pi-kernel";

    private ScriptSandbox _pi = null!;

    [SetUp]
    public void SetUp()
    {
        _pi = new ScriptSandbox();
        _pi.Write($"{Boot}/config.txt", $"arm_64bit=1\nkernel=vmlinuz-{Old}\ninitramfs initrd.img-{Old}\n[pi4]\nmine=1\n");
        _pi.Write($"{Boot}/cmdline.txt", "root=PARTUUID=deadbeef-02 rw\n");
        _pi.Program("reboot");
        Install(Old);
    }

    [TearDown]
    public void TearDown() => _pi.Dispose();

    [Test]
    public async Task A_newer_kernel_is_put_into_a_folder_of_its_own_and_started_once()
    {
        Install(New);

        var told = await StartAsync(Old);

        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot" }));
        Assert.That(_pi.Read($"{Boot}/config.txt"), Is.EqualTo($"arm_64bit=1\n[pi4]\nmine=1\n[all]\nos_prefix=crust-{New}/\nkernel=vmlinuz-{New}\ninitramfs initrd.img-{New}\n"));
        Assert.That(_pi.Read($"{Boot}/config.old"), Does.Contain($"kernel=vmlinuz-{Old}"));
        Assert.That(_pi.Read($"{Boot}/crust-{New}/vmlinuz-{New}"), Is.EqualTo($"kernel {New}"));
        Assert.That(_pi.Read($"{Boot}/crust-{New}/bcm2712-rpi-5-b.dtb"), Is.EqualTo($"tree {New}"));
        Assert.That(_pi.Read($"{Boot}/crust-{New}/cmdline.txt"), Is.EqualTo("root=PARTUUID=deadbeef-02 rw\n"));
        Assert.That(_pi.Read($"{State}/tried"), Is.EqualTo($"{New}\n"));
        Assert.That(told.Error, Does.Contain("knows no tryboot").And.Contain("renaming config.old to config.txt"), "there is no way back that needs nobody, and it is said before");
    }

    [Test]
    public async Task It_is_kept_once_it_runs_and_nothing_restarts_again()
    {
        Install(New);
        await StartAsync(Old);

        await StartAsync(New);
        await StartAsync(New);

        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot" }));
        Assert.That(_pi.Has($"{State}/tried"), Is.False);
        Assert.That(_pi.Read($"{State}/committed"), Is.EqualTo($"{New}\n"));
    }

    [Test]
    public async Task A_version_that_did_not_run_is_never_tried_again()
    {
        Install(New);
        await StartAsync(Old);

        var told = await StartAsync(Old);
        await StartAsync(Old);

        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot" }));
        Assert.That(told.Error, Does.Contain($"{New} was tried and doesn't run: {Old} does"));
    }

    [Test]
    public async Task Another_one_after_it_is_tried()
    {
        Install(New);
        await StartAsync(Old);
        Install("6.19.1-arm64");

        await StartAsync(Old);

        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot", "reboot" }));
        Assert.That(_pi.Read($"{State}/tried"), Is.EqualTo("6.19.1-arm64\n"));
    }

    [Test]
    public async Task A_kernel_that_knows_tryboot_leaves_config_txt_alone_until_the_new_one_runs()
    {
        Install(New);
        _pi.Write("dev/vcio", "");
        var before = _pi.Read($"{Boot}/config.txt");

        await StartAsync(Old);

        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot tryboot" }));
        Assert.That(_pi.Read($"{Boot}/config.txt"), Is.EqualTo(before));
        Assert.That(_pi.Read($"{Boot}/tryboot.txt"), Does.Contain($"os_prefix=crust-{New}/\n"));

        SetTryboot(1);
        await StartAsync(New);

        Assert.That(_pi.Read($"{Boot}/config.txt"), Does.Contain($"os_prefix=crust-{New}/\n"));
        Assert.That(_pi.Has($"{Boot}/tryboot.txt"), Is.False);
        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot tryboot" }));
    }

    [Test]
    public async Task A_tryboot_that_fell_back_leaves_the_old_kernel()
    {
        Install(New);
        _pi.Write("dev/vcio", "");
        var before = _pi.Read($"{Boot}/config.txt");
        await StartAsync(Old);
        SetTryboot(0);

        await StartAsync(Old);
        await StartAsync(Old);

        Assert.That(_pi.Read($"{Boot}/config.txt"), Is.EqualTo(before));
        Assert.That(_pi.Has($"{Boot}/tryboot.txt"), Is.False);
        Assert.That(_pi.Calls, Is.EqualTo(new[] { "reboot tryboot" }));
    }

    [Test]
    public async Task A_third_kernel_takes_the_place_of_the_first()
    {
        _pi.Write($"{Boot}/vmlinuz-{Old}", "kernel");
        _pi.Write($"{Boot}/initrd.img-{Old}", "initramfs");
        foreach (var (running, next) in new[] { (Old, New), (New, "6.19.1-arm64"), ("6.19.1-arm64", "6.20.1-arm64") })
        {
            Install(next);
            await StartAsync(running);
            await StartAsync(next);
        }

        Assert.That(Directory.GetDirectories(_pi.PathOf(Boot)).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "crust-6.19.1-arm64", "crust-6.20.1-arm64" }));
        Assert.That((_pi.Has($"{Boot}/vmlinuz-{Old}"), _pi.Has($"{Boot}/initrd.img-{Old}")), Is.EqualTo((false, false)), "those that the image came with");
        Assert.That(_pi.Read($"{Boot}/config.txt").Split('\n').Count(line => line == "[all]"), Is.EqualTo(1), "the file doesn't grow");
    }

    [TestCase(Old)]
    [TestCase("6.99.1-arm64")]
    public async Task The_newest_kernel_or_one_from_elsewhere_stays(string running)
    {
        var before = _pi.Read($"{Boot}/config.txt");

        await StartAsync(running);

        Assert.That(_pi.Calls, Is.Empty);
        Assert.That(_pi.Read($"{Boot}/config.txt"), Is.EqualTo(before));
    }

    [Test]
    public async Task A_kernel_that_lacks_what_it_needs_to_start_is_none()
    {
        _pi.Write($"boot/vmlinuz-{New}", "kernel");
        _pi.Write("boot/vmlinuz-9 9", "kernel");
        _pi.Write("boot/initrd.img-9 9", "initramfs");

        await StartAsync(Old);

        Assert.That(_pi.Calls, Is.Empty);
    }

    [Test]
    public async Task One_that_does_not_fit_is_not_begun()
    {
        Install(New);
        _pi.Program("stubs/df", "echo head; echo 'fs 100 99 1 99% /boot/firmware'");
        _pi.Program("stubs/du", "echo '9000\ttotal'");

        var told = await StartAsync(Old);

        Assert.That(told.ExitCode, Is.EqualTo(1));
        Assert.That(told.Error, Does.Contain("doesn't fit onto the boot partition: it takes 9000 KiB, and 1 KiB are free there"));
        Assert.That(Directory.GetDirectories(_pi.PathOf(Boot)), Is.Empty);
    }

    [Test]
    public async Task What_reads_back_otherwise_never_gets_its_name()
    {
        Install(New);
        // No two sums are alike.
        _pi.Program("stubs/sha256sum", "cat >/dev/null; cat /proc/sys/kernel/random/uuid");

        var told = await StartAsync(Old);

        Assert.That((told.ExitCode, _pi.Calls.Contains("reboot")), Is.EqualTo((1, false)));
        Assert.That(Directory.GetFiles(_pi.PathOf(Boot), "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(), Is.EqualTo(new[] { "cmdline.txt", "config.txt" }));
    }

    [Test]
    public async Task What_a_power_cut_has_left_is_taken_away()
    {
        _pi.Write($"{Boot}/config.txt.new", "half");
        _pi.Write($"{Boot}/crust-{New}/vmlinuz-{New}.new", "half");

        await StartAsync(Old);

        Assert.That(Directory.GetFiles(_pi.PathOf(Boot), "*.new", SearchOption.AllDirectories), Is.Empty);
    }

    [Test]
    public async Task It_can_be_forbidden()
    {
        Install(New);
        _pi.Write("etc/default/crust-pi-kernel", "TRY=never\n");

        var told = await StartAsync(Old);

        Assert.That(_pi.Calls, Is.Empty);
        Assert.That(told.Error, Does.Contain("forbids to try it"));
    }

    [Test]
    public async Task A_kernel_that_a_build_installs_is_on_the_boot_partition_before_the_first_start()
    {
        Install(New);
        _pi.Write($"{Boot}/vmlinuz-{Old}", "kernel");

        var told = await RunAsync("note", New);

        Assert.That(told.ExitCode, Is.Zero, told.Error);
        Assert.That(_pi.Read($"{Boot}/config.txt"), Does.EndWith($"[all]\nos_prefix=crust-{New}/\nkernel=vmlinuz-{New}\ninitramfs initrd.img-{New}\n"));
        Assert.That((_pi.Read($"{Boot}/crust-{New}/initrd.img-{New}"), _pi.Has($"{Boot}/vmlinuz-{Old}"), _pi.Has($"{State}/tried")), Is.EqualTo(($"initramfs {New}", false, false)));
        await StartAsync(New);
        Assert.That(_pi.Calls, Is.Empty, "the first start has nothing to do");
    }

    [Test]
    public async Task On_a_machine_that_runs_the_next_start_looks_at_it()
    {
        Directory.CreateDirectory(_pi.PathOf("run/systemd/system"));
        Install(New);
        var before = _pi.Read($"{Boot}/config.txt");

        var told = await RunAsync("note", New);

        Assert.That((_pi.Read($"{Boot}/config.txt"), Directory.Exists(_pi.PathOf($"{Boot}/crust-{New}"))), Is.EqualTo((before, false)));
        Assert.That(told.Error, Does.Contain("the next start looks"));
    }

    [Test]
    public async Task An_initramfs_that_is_made_anew_reaches_the_boot_partition()
    {
        _pi.Write($"{Boot}/initrd.img-{Old}", "before");

        await RunAsync("refresh", Old);
        await RunAsync("refresh", New);

        Assert.That(_pi.Read($"{Boot}/initrd.img-{Old}"), Is.EqualTo($"initramfs {Old}"));
        Assert.That(Directory.GetFiles(_pi.PathOf(Boot)).Select(Path.GetFileName).Order(StringComparer.Ordinal), Is.EqualTo(new[] { "bcm2712-rpi-5-b.dtb", "cmdline.txt", "config.txt", $"initrd.img-{Old}", $"vmlinuz-{Old}" }));
    }

    [Test]
    public async Task Without_a_boot_partition_nothing_is_written_to_the_root()
    {
        Directory.Delete(_pi.PathOf(Boot), recursive: true);

        foreach (var what in new[] { "note", "refresh" })
        {
            Assert.That((await RunAsync(what, Old)).ExitCode, Is.Zero);
        }

        Assert.That(Directory.Exists(_pi.PathOf(Boot)), Is.False);
    }

    [Test]
    public async Task A_card_that_takes_no_more_keeps_what_it_has()
    {
        Install(New);
        var before = _pi.Read($"{Boot}/config.txt");
        _pi.Program("stubs/sync", "exit 1");

        var told = await StartAsync(Old);

        Assert.That((told.ExitCode, _pi.Calls.Contains("reboot"), _pi.Read($"{Boot}/config.txt")), Is.EqualTo((1, false, before)));
        Assert.That(told.Error, Does.Contain("can't be written"));
        Assert.That(Directory.GetFiles(_pi.PathOf(Boot), "*.new", SearchOption.AllDirectories), Is.Empty);
    }

    [TestCase("../../etc")]
    [TestCase("")]
    public async Task What_is_no_version_is_refused(string version)
    {
        var told = await RunAsync("note", version);

        Assert.That(told.ExitCode, Is.EqualTo(1));
        Assert.That(told.Error, Does.Contain($"'{version}' is no version of a kernel"));
    }

    private void Install(string version)
    {
        _pi.Write($"boot/vmlinuz-{version}", $"kernel {version}");
        _pi.Write($"boot/initrd.img-{version}", $"initramfs {version}");
        _pi.Write($"usr/lib/modules/{version}/dtb/broadcom/bcm2712-rpi-5-b.dtb", $"tree {version}");
    }

    private void SetTryboot(byte flag)
    {
        _pi.Write("proc/device-tree/chosen/bootloader/tryboot", "");
        File.WriteAllBytes(_pi.PathOf("proc/device-tree/chosen/bootloader/tryboot"), [0, 0, 0, flag]);
    }

    private Task<ToolResult> RunAsync(string what, string version) => _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/pi-kernel", [what, version]);

    private Task<ToolResult> StartAsync(string running) => _pi.RunAsync("dash", "raspberry-pi/root/usr/lib/crust/pi-kernel", ["boot"],
        ("CRUST_UNAME", $"echo {running}"), ("CRUST_REBOOT", _pi.PathOf("reboot")));
}
