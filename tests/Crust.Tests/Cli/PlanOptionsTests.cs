namespace Crust.Tests.Cli;

public sealed class PlanOptionsTests
{
    [TestCase("--shard", "0/3", "'0/3' is no shard")]
    [TestCase("--limit", "0", "--limit must be at least 1")]
    public async Task A_part_that_is_none_is_refused_before_a_spec_is_read(string option, string value, string told)
    {
        var run = await CommandLineRun.OfAsync("plan", option, value, "none.yaml");

        Assert.That((run.Code, run.Output), Is.EqualTo((2, "")));
        Assert.That(run.Error, Does.Contain(told).And.Contain($"option {option}").And.Not.Contain("none.yaml"));
    }

    // None of them can be read, so each that is read is told.
    [Test]
    public async Task A_shard_reads_its_own_specs_alone_and_tells_all_that_is_wrong_with_them_in_their_order()
    {
        var run = await CommandLineRun.OfAsync("plan", "--shard", "1/2", "none-c.yaml", "none-b.yaml", "none-a.yaml");

        Assert.That(run.Code, Is.Not.Zero);
        Assert.That(run.Error, Does.Contain("2 specs can't be planned").And.Contain("none-a.yaml, none-c.yaml").And.Not.Contain("none-b.yaml"));
    }
}
