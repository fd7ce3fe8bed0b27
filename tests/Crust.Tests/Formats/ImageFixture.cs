namespace Crust.Tests.Formats;

/// <summary>Tests that write images of one small disk, a fresh one each.</summary>
public abstract class ImageFixture
{
    private protected SampleImages Images { get; private set; } = null!;

    private protected static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [SetUp]
    public void MakeDisk() => Images = new SampleImages();

    [TearDown]
    public void RemoveDisk() => Images.Dispose();
}
