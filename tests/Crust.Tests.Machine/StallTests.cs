using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine;

/// <summary>Guests that never end, told long before the deadline: what they wait for, in words, and with a picture of their screen.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class StallTests : IDisposable
{
    private readonly CrustProcess _crust = new();

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    public void Dispose() => _crust.Dispose();

    [TestCase(StubGuest.AsksOnSerial, "it waits for an answer on the serial port: “Install to /dev/vda? [y/N]”", "installer.boot.keys")]
    [TestCase(StubGuest.AsksForKeys, "it waits for an answer on the screen: “A line, then F10:”", "installer.boot.keys")]
    [TestCase(StubGuest.ComesUpLive, "it waits at a login prompt: a live system came up, and no installer ran", "install.auto: true")]
    [TestCase(StubGuest.NotBootable, "its firmware found nothing that it can boot", "machine.firmware")]
    [TestCase(StubGuest.PanicsOnScreen, "a kernel panic is on its screen", "machine.memory")]
    [TestCase(StubGuest.Hangs, "what it waits for can't be determined", "picture of its screen")]
    public async Task A_guest_that_waits_for_ever_is_told_with_what_it_waits_for(StubGuest guest, string diagnosis, string remedy)
    {
        var result = await BuildAsync(guest, "--stall", "3s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("did nothing for").And.Contain(diagnosis).And.Contain(remedy).And.Contain("--stall"));
        var picture = Directory.EnumerateFiles(_crust.Images, "*.screen.png").Single();
        Assert.That(result.Error, Does.Contain(picture));
        Assert.That((await File.ReadAllBytesAsync(picture, Cancellation))[..8], Is.EqualTo(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10 }));
    }

    [Test]
    public async Task A_guest_that_keeps_a_processor_busy_is_given_twice_the_time()
    {
        var result = await BuildAsync(StubGuest.Spins, "--stall", "3s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Match(@"did nothing for (?:[6-9]|[1-9]\d+)s but keep a processor busy"), "not after 3 s; how much later depends on what else this host does");
    }

    [Test]
    public async Task A_guest_that_goes_on_writing_to_its_serial_port_does_not_stall()
    {
        var result = await BuildAsync(StubGuest.FloodsSerial, "--stall", "3s", "--deadline", "9s");

        Assert.That(result.Error, Does.Contain("hadn't finished after 9s"));
    }

    [Test]
    public async Task A_guest_that_boots_over_and_over_is_told_as_a_boot_loop()
    {
        var result = await BuildAsync(StubGuest.Resets, "--on-reboot", "continue");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("booted 7 times over and wrote nothing to the disk in between: it is in a boot loop"));
    }

    [Test]
    public async Task An_image_that_waits_at_something_else_is_told_too()
    {
        await BuildAsync(StubGuest.InstallsADeadSystem, "--name", "dead");

        var result = await _crust.RunAsync(Cancellation, "verify", "--verify-deadline", "6s", "images/dead.img");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain(_crust.Image("dead.img.screen.png")));
    }

    [Test]
    public async Task A_run_that_went_well_keeps_its_course_and_its_pictures_beside_the_disk_and_removes_the_picture_of_an_earlier_failure()
    {
        await BuildAsync(StubGuest.Hangs, "--name", "edge", "--stall", "2s");
        Assert.That(_crust.ImageFiles, Has.Member("edge.screen.png"));

        var result = await BuildAsync(StubGuest.Installs, "--name", "edge");

        Assert.That(result.ExitCode, Is.Zero, result.Error);
        Assert.That(_crust.ImageFiles, Has.No.Member("edge.screen.png"));
        var run = Directory.EnumerateDirectories(Path.Combine(_crust.Cache, "disks")).Single();
        Assert.That(await File.ReadAllTextAsync(Path.Combine(run, "serial.log"), Cancellation), Does.Contain("stub: installer started"));
        Assert.That(Directory.EnumerateFiles(Path.Combine(run, "screens"), "*.png"), Is.Not.Empty);
        Assert.That(await File.ReadAllTextAsync(_crust.Image("edge.manifest.json"), Cancellation), Does.Contain("\"screens\"").And.Contain("0000.png"));
    }

    private async Task<CrustResult> BuildAsync(StubGuest guest, params string[] arguments)
    {
        var iso = await StubGuests.IsoAsync(guest, _crust.Folder, Cancellation);
        return await _crust.RunAsync(Cancellation, ["build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", "--format", "img", .. arguments]);
    }
}
