using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class DurationTests
{
    [TestCase("60m", 3600)]
    [TestCase("90s", 90)]
    [TestCase("2h", 7200)]
    [TestCase("1h30m", 5400)]
    [TestCase("1h1m1s", 3661)]
    [TestCase("0s", 0)]
    public void A_duration_is_read(string text, int seconds)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Duration.TryParse(text, out var read), Is.True);
            Assert.That(read, Is.EqualTo(TimeSpan.FromSeconds(seconds)));
        }
    }

    [TestCase(""), TestCase("60"), TestCase("h"), TestCase("30m1h"), TestCase("1.5h"), TestCase("-1s"), TestCase("1h "), TestCase("1h\n"), TestCase("10d")]
    [TestCase("721h"), TestCase("99999999999999999999999999999999h")]
    public void What_is_not_a_duration_is_refused(string text) => Assert.That(Duration.TryParse(text, out _), Is.False);

    [TestCase("1h"), TestCase("1h30m"), TestCase("45s"), TestCase("15m"), TestCase("720h"), TestCase("1h1s"), TestCase("0s")]
    public void A_duration_is_written_as_it_was_read(string text)
    {
        Assert.That(Duration.TryParse(text, out var duration), Is.True);
        Assert.That(Duration.Format(duration), Is.EqualTo(text));
    }
}
