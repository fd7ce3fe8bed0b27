using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>The whole program with real QEMU, when it goes wrong: the right words, the right exit code, and nothing left behind.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FaultTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [TestCase(StubGuest.Resets, "reset the machine instead of powering it off", "machine.onReboot")]
    [TestCase(StubGuest.PanicsThroughPvpanic, "ended in a kernel panic: the guest reported a kernel panic", "serial log")]
    [TestCase(StubGuest.PanicsOnSerial, "ended in a kernel panic: Kernel panic - not syncing: stub", "serial log")]
    [TestCase(StubGuest.InstallsNothing, "powered off without having installed anything", "serial log")]
    public async Task A_guest_that_fails_is_told_in_its_own_sentence(StubGuest guest, string what, string remedy)
    {
        var result = await BuildAsync(guest);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain(what).And.Contain(remedy));
        Assert.That(result.Output, Is.Empty);
        // What is kept is for the diagnosis: no image, no manifest.
        Assert.That(_crust.ImageFiles.Where(file => !file.EndsWith(".log", StringComparison.Ordinal)), Is.Empty);
        AssertNothingRuns();
    }

    [TestCase(StubGuest.Hangs)]
    [TestCase(StubGuest.Spins)]
    [TestCase(StubGuest.FloodsSerial)]
    public async Task A_guest_that_goes_on_for_ever_ends_at_the_deadline(StubGuest guest)
    {
        var result = await BuildAsync(guest, "--deadline", "3s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("hadn't finished after 3s").And.Contain("--deadline"));
        AssertNothingRuns();
    }

    [TestCase("KILL", "QEMU was ended by signal 9 (SIGKILL)")]
    [TestCase("SEGV", "QEMU was ended by signal 11 (SIGSEGV)")]
    [TestCase("TERM", "Somebody on this host ended QEMU (host-signal)")]
    public async Task A_QEMU_that_is_ended_is_no_success(string signal, string what)
    {
        await using var running = await StartHangingAsync();
        var qemu = await running.FindQemuAsync(GuestRuns, Cancellation);

        await Host.RunAsync("kill", [$"-{signal}", $"{qemu}"], Cancellation);
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain(what));
        AssertNothingRuns();
    }

    [TestCase("INT")]
    [TestCase("TERM")]
    [TestCase("HUP")]
    public async Task A_signal_in_the_middle_of_an_install_leaves_no_process_and_no_file(string signal)
    {
        await using var running = await StartHangingAsync();
        var qemu = await running.FindQemuAsync(GuestRuns, Cancellation);

        running.Signal(signal);
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(130), result.Error);
        Assert.That(result.Error, Does.Contain("cancelled"));
        Assert.That(Directory.Exists($"/proc/{qemu}"), Is.False, "QEMU is gone");
        Assert.That(_crust.ImageFiles, Is.Empty);
        AssertNothingRuns();
    }

    [Test]
    public async Task Crust_killed_takes_QEMU_with_it_and_the_next_build_cleans_up()
    {
        await using (var running = await StartHangingAsync())
        {
            var qemu = await running.FindQemuAsync(GuestRuns, Cancellation);
            running.Signal("KILL");
            await running.WaitAsync(Cancellation);
            await WaitUntilGoneAsync(qemu);
        }

        Assert.That(_crust.ImageFiles.Where(file => !file.StartsWith('.')), Is.Empty);
        var next = await BuildAsync(StubGuest.Installs);

        Assert.That(next.ExitCode, Is.Zero, next.Error);
        Assert.That(_crust.ImageFiles, Has.None.StartsWith("."));
        Assert.That(Directory.EnumerateDirectories(Path.Combine(_crust.Cache, "disks"), "*.unfinished-*"), Is.Empty);
        AssertNothingRuns();
    }

    [Test]
    public async Task An_image_that_does_not_come_up_gets_no_final_name_and_the_earlier_one_stays()
    {
        var good = await BuildAsync(StubGuest.Installs, "--name", "edge", "--verify");
        Assert.That(good.ExitCode, Is.Zero, good.Error);
        var before = await File.ReadAllBytesAsync(_crust.Image("edge.img"), Cancellation);

        var result = await BuildAsync(StubGuest.InstallsADeadSystem, "--name", "edge", "--verify", "--verify-deadline", "5s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("didn't show 'login:' on the serial port within 5s").And.Contain("stub: booting from the disk"));
        Assert.That(await File.ReadAllBytesAsync(_crust.Image("edge.img"), Cancellation), Is.EqualTo(before));
        AssertNothingRuns();
    }

    [Test]
    public async Task Verify_tells_an_image_that_does_not_come_up_keeps_its_serial_log_and_goes_on_with_the_next()
    {
        await BuildAsync(StubGuest.InstallsADeadSystem, "--name", "dead");
        await BuildAsync(StubGuest.Installs, "--name", "good");

        var result = await _crust.RunAsync(Cancellation, "verify", "--verify-deadline", "10s", "images/dead.img", "images/good.img");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Output, Is.EqualTo("images/dead.img: not up\nimages/good.img: up\n"));
        Assert.That(result.Error, Does.Contain("the image dead.img didn't show 'login:'").And.Contain(_crust.Image("dead.img.serial.log")));
        Assert.That(await File.ReadAllTextAsync(_crust.Image("dead.img.serial.log"), Cancellation), Does.Contain("stub: booting from the disk"));
        AssertNothingRuns();
    }

    [Test]
    public async Task The_failed_disk_is_kept_and_named()
    {
        var result = await BuildAsync(StubGuest.PanicsOnSerial);

        Assert.That(result.Error, Does.Contain("the failed disk is kept"));
        Assert.That(Directory.EnumerateFiles(Path.Combine(_crust.Cache, "failed")), Has.One.Items);
    }

    private bool GuestRuns() => Directory.Exists(_crust.Images)
        && Directory.EnumerateFiles(_crust.Images, "*.log", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Any(log => File.ReadAllText(log).Contains("stub: installer started", StringComparison.Ordinal));

    private async Task<RunningCrust> StartHangingAsync()
    {
        var iso = await StubGuests.IsoAsync(StubGuest.Hangs, _crust.Folder, Cancellation);
        return _crust.Start("build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", "--format", "img");
    }

    private async Task<CrustResult> BuildAsync(StubGuest guest, params string[] arguments)
    {
        var iso = await StubGuests.IsoAsync(guest, _crust.Folder, Cancellation);
        return await _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", "--format", "img", .. arguments]);
    }

    private static async Task WaitUntilGoneAsync(int process)
    {
        for (var waits = 0; Directory.Exists($"/proc/{process}"); waits++)
        {
            Assert.That(waits, Is.LessThan(100), "QEMU outlives Crust");
            await Task.Delay(20, Cancellation);
        }
    }

    // The machine's private folder is gone, so its sockets are; and no QEMU was given a path inside this test's folder.
    private void AssertNothingRuns()
    {
        Assert.That(Directory.EnumerateFileSystemEntries(_crust.Runtime), Is.Empty);
        var mine = Directory.EnumerateDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _))
            .Select(CommandLineOf).Where(line => line.Contains(_crust.Folder, StringComparison.Ordinal));
        Assert.That(mine, Is.Empty);
    }

    private static string CommandLineOf(string folder)
    {
        try
        {
            return File.ReadAllText(Path.Combine(folder, "cmdline"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
