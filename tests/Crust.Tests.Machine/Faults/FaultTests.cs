using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>The whole program with real QEMU, when it goes wrong: the right words, the right exit code, and nothing left behind.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class FaultTests : FaultFixture
{
    [TestCase(StubGuest.Resets, "reset the machine instead of powering it off", "machine.onReboot")]
    [TestCase(StubGuest.TripleFaults, "reset the machine instead of powering it off", "a crash of the guest's processor (a triple fault)")]
    [TestCase(StubGuest.PanicsThroughPvpanic, "ended in a kernel panic: the guest reported a kernel panic", "serial log")]
    [TestCase(StubGuest.PanicsOnSerial, "ended in a kernel panic: Kernel panic - not syncing: stub", "serial log")]
    [TestCase(StubGuest.InstallsNothing, "powered off without having installed anything", "serial log")]
    public async Task A_guest_that_fails_is_told_in_its_own_sentence(StubGuest guest, string what, string remedy)
    {
        var result = await BuildAsync(guest);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain(what).And.Contain(remedy));
        Assert.That(result.Output, Is.Empty);
        Assert.That(NewImages, Is.Empty, "what is kept is for the diagnosis: no image, no manifest");
    }

    [TestCase(StubGuest.Hangs)]
    [TestCase(StubGuest.Spins)]
    [TestCase(StubGuest.FloodsSerial)]
    [TestCase(StubGuest.NotBootable)]
    public async Task A_guest_that_goes_on_for_ever_ends_at_the_deadline(StubGuest guest)
    {
        var result = await BuildAsync(guest, "--deadline", "3s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("hadn't finished after 3s").And.Contain("--deadline"));
    }

    [TestCase("KILL", "QEMU was ended by signal 9 (SIGKILL)")]
    [TestCase("SEGV", "QEMU was ended by signal 11 (SIGSEGV)")]
    [TestCase("TERM", "Somebody on this host ended QEMU (host-signal)")]
    public async Task A_QEMU_that_is_ended_is_no_success(string signal, string what)
    {
        await using var running = await StartAsync(StubGuest.Hangs);
        var qemu = await running.FindQemuAsync(GuestRuns, Cancellation);

        await Host.RunAsync("kill", [$"-{signal}", $"{qemu}"], Cancellation);
        var result = await running.WaitAsync(Cancellation);

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain(what));
    }

    [Test]
    public async Task The_failed_disk_is_kept_and_named()
    {
        var result = await BuildAsync(StubGuest.PanicsOnSerial);

        Assert.That(result.Error, Does.Contain("the failed disk is kept"));
        Assert.That(Directory.EnumerateFiles(Path.Combine(Crust.Cache, "failed")), Has.One.Items);
    }
}
