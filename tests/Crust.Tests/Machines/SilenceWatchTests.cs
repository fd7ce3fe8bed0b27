using Crust.Machines;

namespace Crust.Tests.Machines;

/// <summary>How long QEMU may be silent, on a host that is short of something.</summary>
public sealed class SilenceWatchTests
{
    private static readonly HostShortage Nothing = new((string?)null);
    private static readonly HostShortage Memory = new("memory (73 % of the time)");

    private readonly ManualTime _time = new();

    [Test]
    public void Silence_of_minutes_on_a_quiet_host_is_too_long()
    {
        var watch = Watch(_ => Nothing);

        Assert.That(After(watch, 179), Is.Null);
        Assert.That(After(watch, 1), Is.EqualTo("QEMU hasn't answered for 3m"));
    }

    [Test]
    public void Time_in_which_this_host_has_no_memory_does_not_count_and_is_told_afterwards()
    {
        var seconds = 0;
        var watch = Watch(_ => seconds++ < 960 ? Memory : Nothing);

        Assert.That(After(watch, 960 + 179), Is.Null);
        Assert.That(After(watch, 1), Is.EqualTo("QEMU hasn't answered for 19m; for a part of that this host was short of memory (73 % of the time)"));
    }

    [Test]
    public void A_Crust_that_stood_still_itself_does_not_count_that_time()
    {
        var watch = Watch(_ => Nothing);
        _time.Advance(TimeSpan.FromMinutes(30));

        Assert.That(watch.Look(), Is.Null);
        Assert.That(After(watch, 179), Is.Null);
        Assert.That(After(watch, 1), Does.Contain("short of CPU time"));
    }

    [TestCase("7 (qemu) x) T 1", "", "QEMU's own running: somebody has stopped its process")]
    [TestCase("7 (qemu) D 1", "", "what its disks give (QEMU waits in the kernel)")]
    [TestCase("7 (qemu) S 1", "some avg10=41.50 avg60=1.00 avg300=0.10 total=5\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n", "memory (42 % of the time)")]
    [TestCase("7 (qemu) D 1", "some avg10=41.50 avg60=1.00 avg300=0.10 total=5\n", "memory (42 % of the time)")]
    [TestCase("7 (qemu) S 1", "some avg10=1.50 avg60=91.00 avg300=0.10 total=5\n", null)]
    [TestCase("", "", null)]
    [TestCase("7 (qemu) R 1", "some avg10=x avg60=", null)]
    public void What_this_host_is_short_of_is_in_the_kernels_files(string stat, string memory, string? what) =>
        Assert.That(HostShortage.Of(stat, memory, "", "").What, Is.EqualTo(what));

    private SilenceWatch Watch(Func<int, HostShortage> look) => new(new SilenceLimit(TimeSpan.FromMinutes(3), look), 1, _time);

    private string? After(SilenceWatch watch, int seconds)
    {
        string? said = null;
        for (var i = 0; i < seconds && said is null; i++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            said = watch.Look();
        }

        return said;
    }
}
