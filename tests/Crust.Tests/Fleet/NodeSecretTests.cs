using System.Collections.Immutable;
using Crust.Fleet;
using Crust.Tests.Disks;

namespace Crust.Tests.Fleet;

[CancelAfter(60_000)]
public sealed class NodeSecretTests
{
    private static readonly ImmutableDictionary<string, string> Variables = ImmutableDictionary<string, string>.Empty.Add("TOKEN_NODE_1", "abc");

    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [TestCase("TOKEN=env:TOKEN_{node}", "abc")]
    [TestCase("TOKEN=command:printf %s-token\\n {node}", "node-1-token")]
    public async Task It_comes_from_its_place_for_each_node(string text, string expected) =>
        Assert.That((await NodeSecret.Parse(text).OfAsync("node-1", Variables, SampleDisk.Tools, Cancellation)).Reveal(), Is.EqualTo(expected));

    [TestCase("TOKEN")]
    [TestCase("TOKEN=s3cret")]
    [TestCase("1=file:x")]
    [TestCase("TOKEN=file:")]
    public void What_is_no_place_is_refused_without_repeating_it(string text)
    {
        var error = Assert.Throws<CrustException>(() => NodeSecret.Parse(text))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.Message, Does.Not.Contain("s3cret"));
    }

    [TestCase("NODE_NAME=env:X", "names with NODE_ stand for what nodes.yaml has")]
    [TestCase("TOKEN=env:X", "The secret TOKEN is given twice")]
    public void Names_are_a_secrets_own(string second, string says)
    {
        var error = Assert.Throws<CrustException>(() => NodeSecret.ParseAll(["TOKEN=file:x", second]))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
        Assert.That(error.What, Does.Contain(says));
    }

    [TestCase("TOKEN=env:NOT_THERE")]
    [TestCase("TOKEN=file:/not/there")]
    [TestCase("TOKEN=command:false")]
    [TestCase("TOKEN=command:true")]
    public async Task A_secret_that_is_missing_is_told(string text)
    {
        var error = (await Assert.ThrowsAsync<CrustException>(() => NodeSecret.Parse(text).OfAsync("node-1", Variables, SampleDisk.Tools, Cancellation)))!;

        Assert.That(error.Kind, Is.EqualTo(FailureKind.BadInput));
    }
}
