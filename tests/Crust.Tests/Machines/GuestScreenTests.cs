using Crust.Machines;
using Crust.Spec;

namespace Crust.Tests.Machines;

[CancelAfter(60_000)]
public sealed class GuestScreenTests
{
    private FakeTools _fakes = null!;

    [SetUp]
    public void SetUp() => _fakes = new FakeTools();

    [TearDown]
    public void TearDown() => _fakes.Dispose();

    [Test]
    public async Task A_guest_that_nobody_wants_to_see_is_shown_nowhere() =>
        Assert.That(await ChooseAsync(isWanted: false, hasDisplay: true), Is.TypeOf<GuestDisplay.None>());

    [Test]
    public async Task Without_a_display_there_is_a_VNC_socket() =>
        Assert.That(await ChooseAsync(isWanted: true, hasDisplay: false), Is.TypeOf<GuestDisplay.VncSocket>());

    [Test]
    public async Task A_QEMU_without_windows_offers_a_VNC_socket()
    {
        _fakes.Add("qemu-system-x86_64", "print Available display backend types:", "print none", "print curses");

        Assert.That(await ChooseAsync(isWanted: true, hasDisplay: true), Is.TypeOf<GuestDisplay.VncSocket>());
    }

    [TestCase("sdl", "gtk", "gtk")]
    [TestCase("sdl", "curses", "sdl")]
    public async Task A_QEMU_with_windows_opens_one(string first, string second, string window)
    {
        _fakes.Add("qemu-system-x86_64", $"print {first}", $"print {second}");

        Assert.That(await ChooseAsync(isWanted: true, hasDisplay: true), Is.EqualTo(new GuestDisplay.Window(window)));
    }

    private Task<GuestDisplay> ChooseAsync(bool isWanted, bool hasDisplay) =>
        new GuestScreen(_fakes.ToolBox, isWanted, hasDisplay).ChooseAsync(Arch.Amd64, TestContext.CurrentContext.CancellationToken);
}
