using Crust.Machines.Watching;

namespace Crust.Tests.Machines.Watching;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class StallWatchTests
{
    private readonly StallWatch _watch = new(TimeSpan.FromMinutes(10));

    [Test]
    public void A_machine_that_shows_no_sign_of_life_for_the_limit_stalls_and_no_sooner()
    {
        Look(0);

        Assert.That(Look(599), Is.Null);
        Assert.That(Look(600), Is.EqualTo(new Stall(TimeSpan.FromMinutes(10), Busy: false)));
    }

    [TestCase("disk")]
    [TestCase("serial")]
    [TestCase("screen")]
    public void Each_sign_of_life_by_itself_keeps_it_alive(string sign)
    {
        for (var minute = 0; minute < 60; minute += 9)
        {
            Assert.That(Look(minute * 60, written: sign == "disk" ? minute : 0, serial: sign == "serial" ? minute : 0, screen: sign == "screen" ? $"{minute}" : "x"), Is.Null);
        }
    }

    [Test]
    public void A_busy_machine_is_given_twice_the_time()
    {
        Look(0);

        Assert.That(Look(1199, cpu: 1199), Is.Null);
        Assert.That(Look(1200, cpu: 1200), Is.EqualTo(new Stall(TimeSpan.FromMinutes(20), Busy: true)));
    }

    [Test]
    public void A_cursor_that_blinks_is_no_sign_of_life()
    {
        for (var second = 0; second < 600; second += 5)
        {
            Assert.That(Look(second, screen: second % 2 == 0 ? "on" : "off"), Is.Null);
        }

        // The second of the two pictures was new when it was first seen.
        Assert.That(Look(605, screen: "on"), Is.Not.Null);
    }

    [Test]
    public void A_screen_that_cannot_be_seen_is_judged_by_the_rest()
    {
        Look(0, screen: null);

        Assert.That(Look(600, screen: null), Is.Not.Null);
    }

    private Stall? Look(double seconds, long written = 0, long serial = 0, string? screen = "x", double cpu = 0) =>
        _watch.Look(new SignsOfLife(TimeSpan.FromSeconds(seconds), written, serial, screen, TimeSpan.FromSeconds(cpu)));
}
