using Crust.Planning;

namespace Crust.Tests.Planning;

public sealed class ShardTests
{
    private static readonly string[] Files = [.. Enumerable.Range(0, 23).Select(i => $"specs/{i}.yaml")];

    [Test]
    public void Shards_together_have_each_spec_once_and_are_of_one_size()
    {
        var shards = Enumerable.Range(1, 5).Select(number => new Shard(number, 5).Of(Files)).ToList();

        Assert.That(shards.SelectMany(files => files), Is.EquivalentTo(Files));
        Assert.That(shards.Max(files => files.Count) - shards.Min(files => files.Count), Is.LessThanOrEqualTo(1));
    }

    [Test]
    public void A_machine_that_lists_the_specs_in_another_order_has_the_same_shard() =>
        Assert.That(new Shard(2, 5).Of(Files.Reverse()), Is.EqualTo(new Shard(2, 5).Of(Files)));

    [Test]
    public void There_may_be_more_shards_than_specs() =>
        Assert.That(new Shard(3, 4).Of(["a", "b"]), Is.Empty);

    [TestCase("3/10", ExpectedResult = "3 of 10")]
    [TestCase("1/1", ExpectedResult = "1 of 1")]
    public string A_shard_is_read(string text)
    {
        var shard = Shard.Parse(text, "here");
        return $"{shard.Number} of {shard.Count}";
    }

    [TestCase("0/10")]
    [TestCase("11/10")]
    [TestCase("1/0")]
    [TestCase("3")]
    [TestCase("-1/3")]
    [TestCase("1/2/3")]
    [TestCase("a/b")]
    [TestCase("")]
    public void Anything_else_is_refused(string text)
    {
        var error = Assert.Throws<CrustException>(() => Shard.Parse(text, "option --shard"))!;

        Assert.That((error.Kind, error.Where), Is.EqualTo((FailureKind.BadInput, "option --shard")));
    }
}
