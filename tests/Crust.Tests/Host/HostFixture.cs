namespace Crust.Tests.Host;

/// <summary>Tests that look at a host, a fresh one each.</summary>
public abstract class HostFixture
{
    private protected HostSample Sample { get; private set; } = null!;

    private protected static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void MakeHost() => Sample = new HostSample();

    [TearDown]
    public void RemoveHost() => Sample.Dispose();
}
