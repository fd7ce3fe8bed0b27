namespace Crust.Tests.Registries;

/// <summary>Debian's registry, started once for a fixture, behind a front that each test may let fail.</summary>
public abstract class RegistryFixture
{
    private int _count;

    private protected static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private protected LocalRegistry Registry { get; private set; } = null!;

    private protected RegistryFront Front { get; private set; } = null!;

    [OneTimeSetUp]
    public async Task StartRegistryAsync()
    {
        Registry = await LocalRegistry.StartAsync(CancellationToken.None);
        Front = new RegistryFront(Registry);
    }

    [OneTimeTearDown]
    public async Task StopRegistryAsync()
    {
        Front.Dispose();
        await Registry.DisposeAsync();
    }

    [SetUp]
    public void ResetFront()
    {
        Front.Do = (_, _) => null;
        Front.Forget();
    }

    /// <summary>The name of a repository that no other test has.</summary>
    private protected string NewRepository() => $"{Front.Host}/test{Interlocked.Increment(ref _count)}";
}
