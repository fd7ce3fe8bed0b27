using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>What a spec can put into the machine or start it with, with real QEMU and swtpm.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HardwareTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [Test]
    [CancelAfter(600_000)]
    public async Task A_kernel_of_the_ISO_starts_with_its_initramfs_and_command_line_finds_the_TPM_and_is_heard_in_full_by_a_Crust_that_stalls()
    {
        _crust.ShareDearThings();

        await using var running = _crust.Start("build", "--format", "img", "--memory", "1G", "--tpm",
            "--boot-kernel", "/boot/vmlinuz", "--boot-initrd", "boot/initramfs", "--boot-append", "crust.job=nonesuch console=ttyS0,115200");
        var qemu = await running.FindQemuAsync(() => SerialHas(""), Cancellation);
        await StallAsync(running, qemu);
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("failed: this appliance has no job 'nonesuch'"));
        var serial = await File.ReadAllTextAsync(_crust.Image("crust-reference.serial.log"), Cancellation);
        Assert.That(serial, Does.Contain("Command line: crust.job=nonesuch console=ttyS0,115200").And.Match(@"ACPI: TPM2 0x\w+"));
        Assert.That(Directory.EnumerateFiles(Path.Combine(_crust.Cache, "disks"), "*", SearchOption.AllDirectories).Select(Path.GetFileName), Has.None.EqualTo("kernel").And.None.EqualTo("initrd"));
        AssertNothingRuns();
    }

    [TestCase("/boot.bim", "The ISO has no file '/boot.bim'", "did you mean '/boot.bin'? The folder / has /boot.bin, /boot.cat")]
    [TestCase("/casper/vmlinuz", "The ISO has no file '/casper/vmlinuz'", "The folder / has /boot.")]
    [TestCase("/", "'/' in the ISO is a folder", "name a file in it: /boot.")]
    public async Task A_kernel_that_the_ISO_does_not_have_is_told_with_what_it_has(string path, string what, string remedy)
    {
        var result = await BuildAsync(StubGuest.Installs, "--boot-kernel", path);

        Assert.That(result.ExitCode, Is.EqualTo(2), result.Error);
        Assert.That(result.Error, Does.Contain(what).And.Contain("where: installer.boot.kernel, ").And.Contain($"to do: {remedy}"));
        AssertNothingRuns();
    }

    [Test]
    public async Task A_machine_with_a_TPM_installs_and_its_image_boots_with_a_fresh_one()
    {
        var result = await BuildAsync(StubGuest.Installs, "--tpm", "--verify");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(await File.ReadAllTextAsync(_crust.Image("installs.manifest.json"), Cancellation), Does.Contain("-device tpm-crb,tpmdev=tpm").And.Contain("\"tpm\": true"));
        AssertNothingRuns();
    }

    [TestCase("KILL", "swtpm, the machine's TPM, was ended by signal 9 (SIGKILL) while the installer hangs.iso was running")]
    [TestCase("TERM", "swtpm, the machine's TPM, ended with exit code 0 while the installer hangs.iso was running")]
    public async Task A_TPM_that_goes_away_ends_the_build(string signal, string what)
    {
        await using var running = await StartHangingAsync("--tpm");
        await running.FindQemuAsync(GuestRuns, Cancellation);

        await Host.RunAsync("kill", [$"-{signal}", $"{running.FindChild("swtpm")}"], Cancellation);
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain(what));
        AssertNothingRuns();
    }

    [Test]
    public async Task Crust_killed_takes_the_TPM_with_it()
    {
        int swtpm;
        await using (var running = await StartHangingAsync("--tpm"))
        {
            await running.FindQemuAsync(GuestRuns, Cancellation);
            swtpm = running.FindChild("swtpm")!.Value;
            running.Signal("KILL");
            await running.WaitAsync(Cancellation);
        }

        for (var waits = 0; Directory.Exists($"/proc/{swtpm}"); waits++)
        {
            Assert.That(waits, Is.LessThan(1000), "swtpm outlives Crust");
            await Task.Delay(20, Cancellation);
        }

        // The next build removes what the killed one left.
        Assert.That((await BuildAsync(StubGuest.Installs)).ExitCode, Is.Zero);
        AssertNothingRuns();
    }

    [Test]
    public async Task A_guest_that_is_to_be_seen_is_on_a_VNC_socket_where_there_is_no_display()
    {
        await using var running = await StartHangingAsync("--show");

        var path = await running.ExpectErrorAsync(@"note       the guest's screen: vncviewer (\S+)", Cancellation);
        using var viewer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await viewer.ConnectAsync(new UnixDomainSocketEndPoint(path), Cancellation);
        var greeting = new byte[12];
        await new NetworkStream(viewer).ReadExactlyAsync(greeting, Cancellation);

        Assert.That(Encoding.ASCII.GetString(greeting), Is.EqualTo("RFB 003.008\n"));
        Assert.That(File.GetUnixFileMode(Path.GetDirectoryName(path)!), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute));
        running.Signal("INT");
        await running.WaitAsync(Cancellation);
        AssertNothingRuns();
    }

    private bool GuestRuns() => SerialHas("stub: installer started");

    private bool SerialHas(string text) => _crust.LogsHave(text);

    // As on a host that has too much to do: for three seconds of the guest's time, in which Linux says most of what it says.
    private static async Task StallAsync(RunningCrust crust, int qemu)
    {
        using var process = Process.GetProcessById(qemu);
        crust.Signal("STOP");
        for (var before = process.TotalProcessorTime; process.TotalProcessorTime - before < TimeSpan.FromSeconds(3); process.Refresh())
        {
            await Task.Delay(50, Cancellation);
        }

        crust.Signal("CONT");
    }

    private async Task<RunningCrust> StartHangingAsync(params string[] arguments)
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Hangs, _crust.Folder, Cancellation);
        _crust.Environment["DISPLAY"] = _crust.Environment["WAYLAND_DISPLAY"] = "";
        return _crust.Start(["build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", "--format", "img", .. arguments]);
    }

    private async Task<CrustResult> BuildAsync(StubGuest guest, params string[] arguments)
    {
        var iso = await StubGuests.IsoAsync(guest, _crust.Folder, Cancellation);
        return await _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", "--format", "img", .. arguments]);
    }

    // A machine's private folder, with swtpm's state and the sockets, goes with it.
    private void AssertNothingRuns() => Assert.That(Directory.EnumerateFileSystemEntries(_crust.Runtime), Is.Empty);
}
