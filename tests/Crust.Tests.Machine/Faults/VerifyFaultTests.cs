using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>Images that don't come up.</summary>
[CancelAfter(120_000)]
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class VerifyFaultTests : FaultFixture
{
    [Test]
    public async Task An_image_that_does_not_come_up_gets_no_final_name_and_the_earlier_one_stays()
    {
        var good = await BuildAsync(StubGuest.Installs, "--name", "edge", "--verify");
        Assert.That(good.ExitCode, Is.Zero, good.Error);
        ImagesStay();

        var result = await BuildAsync(StubGuest.InstallsADeadSystem, "--name", "edge", "--verify", "--verify-deadline", "5s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("didn't show 'login:' on the serial port within 5s").And.Contain("stub: booting from the disk"));
    }

    [Test]
    public async Task Verify_tells_an_image_that_does_not_come_up_keeps_its_serial_log_and_goes_on_with_the_next()
    {
        await BuildAsync(StubGuest.InstallsADeadSystem, "--name", "dead");
        await BuildAsync(StubGuest.Installs, "--name", "good");
        ImagesStay();

        var result = await Crust.RunAsync(Cancellation, "verify", "--verify-deadline", "10s", "images/dead.img", "images/good.img");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Output, Is.EqualTo("images/dead.img: not up\nimages/good.img: up\n"));
        Assert.That(result.Error, Does.Contain("the image dead.img didn't show 'login:'").And.Contain(Crust.Image("dead.img.serial.log")));
        Assert.That(await LogAsync("dead.img.serial.log"), Does.Contain("stub: booting from the disk"));
    }
}
