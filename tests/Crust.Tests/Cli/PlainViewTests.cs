using Crust.Cli.Progress;

namespace Crust.Tests.Cli;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class PlainViewTests : IDisposable
{
    private StringWriter _out = null!;
    private ManualTime _time = null!;

    [SetUp]
    public void SetUp() => (_out, _time) = (new StringWriter(), new ManualTime());

    [TearDown]
    public void TearDown() => _out.Dispose();

    public void Dispose() => _out.Dispose();

    [Test]
    public async Task A_stage_that_says_nothing_still_shows_a_heartbeat_within_30_seconds()
    {
        await using var view = new PlainView(_out, _time);
        view.Observe(new BuildEvent.Started(Stage.Install, "x.iso"));

        _time.Advance(TimeSpan.FromSeconds(30));

        Assert.That(Lines(), Is.EqualTo(new[] { "  0:00 install    x.iso …", "  0:20 install    …" }));
    }

    [Test]
    public async Task A_heartbeat_shows_the_newest_of_each_thing_that_goes_on()
    {
        await using var view = new PlainView(_out, _time);
        view.Observe(new BuildEvent.Started(Stage.Formats, "img, vmdk"));
        view.Observe(new BuildEvent.Progressed(Stage.Formats, "vmdk", 0.1, ""));
        view.Observe(new BuildEvent.Progressed(Stage.Formats, "img", 1, ""));
        view.Observe(new BuildEvent.Progressed(Stage.Formats, "vmdk", 0.25, ""));

        _time.Advance(TimeSpan.FromSeconds(20));

        Assert.That(Lines().Last(), Is.EqualTo("  0:20 formats    img  100 % | vmdk  25 %"));
    }

    [Test]
    public async Task A_stage_inside_another_leaves_the_outer_ones_heartbeat()
    {
        await using var view = new PlainView(_out, _time);
        view.Observe(new BuildEvent.Started(Stage.Installer, "the reference installer"));
        view.Observe(new BuildEvent.Started(Stage.Appliance, "building"));
        view.Observe(new BuildEvent.Finished(Stage.Appliance, TimeSpan.FromSeconds(5), "11 MiB"));
        view.Observe(new BuildEvent.Progressed(Stage.Installer, null, 0.5, "installing packages"));

        _time.Advance(TimeSpan.FromSeconds(20));

        Assert.That(Lines().Last(), Is.EqualTo("  0:20 installer  50 %  installing packages"));
    }

    [Test]
    public async Task Between_stages_there_is_no_heartbeat()
    {
        await using var view = new PlainView(_out, _time);
        view.Observe(new BuildEvent.Started(Stage.Preflight, "this host"));
        view.Observe(new BuildEvent.Finished(Stage.Preflight, TimeSpan.FromSeconds(65), "tcg"));

        _time.Advance(TimeSpan.FromMinutes(2));

        Assert.That(Lines().Last(), Is.EqualTo("  0:00 preflight  tcg (1m5s)"));
    }

    private string[] Lines() => _out.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
