using System.Text.Json;
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

        var result = await BuildAsync(StubGuest.InstallsADeadSystem, "--name", "edge", "--verify", "--verify-deadline", "9s");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("didn't show a login prompt, an SSH banner or cloud-init's last message within 9s").And.Contain("stub: booting from the disk"));
    }

    [Test]
    public async Task An_image_that_shows_nothing_either_way_is_kept_as_unproven_and_not_booted_again_unless_it_has_to_come_up()
    {
        ImagesMayChange();
        string[] build = ["--name", "quiet", "--format", "qcow2", "--verify-deadline", "8s", "--verify"];

        var result = await BuildAsync(StubGuest.InstallsADeadSystem, [.. build, "auto"]);
        using var manifest = JsonDocument.Parse(await File.ReadAllBytesAsync(Crust.Image("quiet.manifest.json"), Cancellation));
        var report = await File.ReadAllTextAsync(Crust.Image("quiet.report.html"), Cancellation);
        var again = await BuildAsync(StubGuest.InstallsADeadSystem, [.. build, "auto"]);
        ImagesStay();
        var failed = await BuildAsync(StubGuest.InstallsADeadSystem, [.. build, "true"]);

        Assert.That((result.ExitCode, again.ExitCode, failed.ExitCode), Is.EqualTo((0, 0, 4)), result.Error + again.Error + failed.Error);
        Assert.That(result.Error, Does.Contain("warning    the image quiet.img didn't show a login prompt, an SSH banner or cloud-init's last message within 8s: nobody knows whether it boots; serial log: ")
            .And.Contain("its last lines: stub: booting from the disk").And.Contain("unproven: img, qcow2"));
        var images = manifest.RootElement.GetProperty("images").EnumerateArray().Select(image =>
            (image.GetProperty("file").GetString(), image.GetProperty("verified").ValueKind, image.GetProperty("unproven").GetProperty("deadline").GetDouble(), image.GetProperty("unproven").GetProperty("sameAs").GetString()));
        Assert.That(images, Is.EqualTo(new[] { ("quiet.img", JsonValueKind.Null, 8.0, (string?)null), ("quiet.qcow2", JsonValueKind.Null, 8.0, "quiet.img") }));
        Assert.That(await LogAsync("quiet.img.serial.log"), Does.Contain("stub: booting from the disk"));
        Assert.That(report, Does.Contain("unproven</span>, booted under BIOS").And.Contain("alt=\"The last screen of the image that is unproven\"").And.Contain("nobody knows whether they boot"));
        Assert.That(again.Error, Does.Contain("up to date"));
        Assert.That(failed.Error, Does.Contain("the image quiet.img didn't show a login prompt"));
    }

    [Test]
    public async Task A_disk_on_which_the_firmware_finds_nothing_fails_at_once_and_a_login_prompt_on_the_screen_alone_is_one()
    {
        Directory.CreateDirectory(Crust.Images);
        var (dead, up) = (Crust.Image("dead.img"), Crust.Image("up.img"));
        await File.WriteAllBytesAsync(dead, new byte[1 << 20], Cancellation);
        await File.WriteAllBytesAsync(up, [.. await StubGuests.ScreenBootSectorAsync(Crust.Folder, Cancellation), .. new byte[1 << 20]], Cancellation);
        ImagesStay();

        var result = await Crust.RunAsync(Cancellation, "verify", "--json", "--memory", "256M", "images/dead.img", "images/up.img");

        Assert.That(result.ExitCode, Is.EqualTo(4), result.Error);
        Assert.That(result.Error, Does.Contain("the image dead.img found nothing that its firmware can boot").And.Contain(Crust.Image("dead.img.screen.png")));
        using var said = JsonDocument.Parse(result.Output);
        Assert.That(said.RootElement.EnumerateArray().Select(image => (image.GetProperty("up").GetBoolean(), image.GetProperty("expected").GetString())), Is.EqualTo(new[] { (false, null), (true, "stub login:") }));
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
        Assert.That(result.Error, Does.Contain("the image dead.img didn't show a login prompt").And.Contain(Crust.Image("dead.img.serial.log")));
        Assert.That(await LogAsync("dead.img.serial.log"), Does.Contain("stub: booting from the disk"));
    }
}
