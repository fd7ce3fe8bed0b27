using Crust.Isos;

namespace Crust.Tests.Machine.Guests;

[CancelAfter(60_000)]
public sealed class StubGuestsTests
{
    private string _folder = "";

    [SetUp]
    public void SetUp() => _folder = Directory.CreateTempSubdirectory("crust-test-").FullName;

    [TearDown]
    public void TearDown() => Directory.Delete(_folder, recursive: true);

    [Test]
    public async Task Each_stub_guest_becomes_a_small_ISO_that_boots_under_BIOS([Values] StubGuest kind)
    {
        var iso = await StubGuests.MakeIsoAsync(kind, _folder, TestContext.CurrentContext.CancellationToken);

        var facts = IsoInspector.Inspect(iso, iso);
        Assert.That((facts.VolumeId, facts.BootsBios, facts.BootsUefi), Is.EqualTo(("STUB", true, false)));
        Assert.That(facts.Size, Is.LessThan(1 << 20));
        Assert.That((await File.ReadAllBytesAsync(iso)).AsSpan().IndexOf("stub: installer started"u8), Is.Positive);
    }

    [Test]
    public async Task A_stub_guest_is_byte_identical_each_time_so_that_caches_can_be_tested_with_it()
    {
        var first = await File.ReadAllBytesAsync(await StubGuests.MakeIsoAsync(StubGuest.Installs, _folder, TestContext.CurrentContext.CancellationToken));

        // Dates in an ISO count seconds: the second one is to be made in another.
        await Task.Delay(TimeSpan.FromSeconds(1.1), TestContext.CurrentContext.CancellationToken);
        var second = await File.ReadAllBytesAsync(await StubGuests.MakeIsoAsync(StubGuest.Installs, _folder, TestContext.CurrentContext.CancellationToken));

        Assert.That(first.AsSpan().SequenceEqual(second), Is.True);
    }
}
