using Crust.Tests.Machine.Guests;

namespace Crust.Tests.Machine.Faults;

/// <summary>Builds that go wrong. After each test nothing may be left of them on the host, and the images that were there before are as they were.</summary>
public abstract class FaultFixture : IDisposable
{
    /// <summary>Images that an earlier build left, under the name of this one.</summary>
    private Dictionary<string, string>? _earlier;

    private protected CrustProcess Crust { get; } = new();

    private protected static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [TearDown]
    public void Nothing_is_left() => Leftovers.AssertNone(Crust, _earlier);

    public void Dispose()
    {
        Crust.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>The names of what isn't an earlier image or a log.</summary>
    private protected IEnumerable<string> NewImages => Leftovers.Hashes(Crust).Keys.Except(_earlier?.Keys ?? Enumerable.Empty<string>());

    /// <summary>A log in the images folder, as the program left it.</summary>
    private protected Task<string> LogAsync(string file) => File.ReadAllTextAsync(Crust.Image(file), Cancellation);

    /// <summary>Makes the ISO of a guest, and earlier images of its name, which stay what they are.</summary>
    private protected async Task<string> IsoAsync(StubGuest guest)
    {
        var iso = await StubGuests.IsoAsync(guest, Crust.Folder, Cancellation);
        _earlier ??= Leftovers.PutEarlierImages(Crust, Path.GetFileNameWithoutExtension(iso));
        return iso;
    }

    /// <summary>What lies in the images folder now is what must stay.</summary>
    private protected void ImagesStay() => _earlier = Leftovers.Hashes(Crust);

    /// <summary>The images folder is looked at by the test itself.</summary>
    private protected void ImagesMayChange() => _earlier = null;

    private protected async Task<CrustResult> BuildAsync(StubGuest guest, params string[] arguments) =>
        await Crust.RunAsync(Cancellation, [.. Arguments(await IsoAsync(guest)), .. arguments]);

    private protected async Task<RunningCrust> StartAsync(StubGuest guest, params string[] arguments) =>
        Crust.Start([.. Arguments(await IsoAsync(guest)), .. arguments]);

    /// <summary>A build that installs no more than 64 MiB, to one img.</summary>
    private protected static string[] Arguments(string iso) => ["build", "--iso", iso, "--disk-size", "64M", "--memory", "256M", "--format", "img"];

    /// <summary>Whether some serial log has the guest's first word.</summary>
    private protected bool GuestRuns() => SerialHas("stub: installer started");

    /// <summary>Whether some serial log has a text.</summary>
    private protected bool SerialHas(string text) => Crust.LogsHave(text);

    private protected static async Task WaitUntilAsync(Func<bool> done, TimeSpan patience, string what)
    {
        for (var waited = TimeSpan.Zero; !done(); waited += TimeSpan.FromMilliseconds(20))
        {
            Assert.That(waited, Is.LessThan(patience), what);
            await Task.Delay(20, Cancellation);
        }
    }
}
