using Crust.Spec;

namespace Crust.Tests.Spec;

public sealed class SizeTests
{
    [TestCase("0", 0)]
    [TestCase("1048576", 1L << 20)]
    [TestCase("1k", 1L << 10)]
    [TestCase("4096M", 4L << 30)]
    [TestCase("100G", 100L << 30)]
    [TestCase("20GiB", 20L << 30)]
    [TestCase("2T", 2L << 40)]
    public void A_size_is_read(string text, long bytes)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Size.TryParse(text, out var read), Is.True);
            Assert.That(read, Is.EqualTo(bytes));
        }
    }

    // GB could be 10^9 or 2^30 bytes, so it is neither.
    [TestCase("12bananas"), TestCase(""), TestCase("G"), TestCase("-1"), TestCase("1.5G"), TestCase("100GB"), TestCase("1 G"), TestCase("1G\n")]
    [TestCase("9223372036854775808"), TestCase("9007199254740992K")]
    public void What_is_not_a_size_is_refused(string text) => Assert.That(Size.TryParse(text, out _), Is.False);

    [TestCase(0, "0 bytes")]
    [TestCase(1023, "1023 bytes")]
    [TestCase(1024, "1.0 KiB")]
    [TestCase(3L << 30, "3.0 GiB")]
    [TestCase((1L << 30) - 1, "1.0 GiB")]
    [TestCase(1536L << 20, "1.5 GiB")]
    [TestCase(long.MaxValue, "8388608.0 TiB")]
    public void A_size_is_shown_to_people(long bytes, string text) => Assert.That(Size.Format(bytes), Is.EqualTo(text));

    [Test]
    public void A_size_as_a_spec_writes_it_reads_back_as_itself([Values(0, 1, 512, 1024, 1536L << 20, 100L << 30, (1L << 40) + 1)] long bytes)
    {
        Assert.That(Size.TryParse(Size.ToSpecText(bytes), out var read), Is.True);
        Assert.That(read, Is.EqualTo(bytes));
    }

    [TestCase(100L << 30, "100G")]
    [TestCase(1536L << 20, "1536M")]
    [TestCase(513, "513")]
    public void A_size_is_written_with_the_largest_unit_that_is_exact(long bytes, string text) => Assert.That(Size.ToSpecText(bytes), Is.EqualTo(text));
}
