using Crust.Events;
using Crust.Tests.Installers;

namespace Crust.Tests.Events;

public sealed class BuildJournalTests
{
    private readonly ManualTime _time = new();

    [Test]
    public void What_is_warned_of_inside_a_stage_is_remembered_and_passed_on()
    {
        var observer = new EventList();
        var journal = new BuildJournal(observer, _time);

        journal.Observe(new BuildEvent.Warned("one"));
        journal.Warn("two", null, "one");

        Assert.That(journal.Warnings, Is.EqualTo(new[] { "one", "two" }));
        Assert.That(observer.Events.OfType<BuildEvent.Warned>().Select(warned => warned.Message), Is.EqualTo(new[] { "one", "two" }));
    }

    [Test]
    public void A_guest_that_warns_without_end_does_not_fill_the_memory()
    {
        var observer = new EventList();
        var journal = new BuildJournal(observer, _time);

        for (var i = 0; i < 1000; i++)
            journal.Observe(new BuildEvent.Warned($"{i}", "the installer"));
        journal.Warn("Crust's own");

        Assert.That(journal.Warnings, Has.Length.EqualTo(202));
        Assert.That(journal.Warnings[200..], Is.EqualTo(new[] { "Crust's own", "… and 800 more from the installer" }));
        Assert.That(observer.Events, Has.Count.EqualTo(202), "200, that there are more, and Crust's own");
    }

    [Test]
    public void Stages_are_told_in_the_order_in_which_they_began_and_the_one_that_failed_has_no_result()
    {
        var journal = new BuildJournal(new EventList(), _time);

        journal.Observe(new BuildEvent.Started(Stage.Install, "iso"));
        _time.Advance(TimeSpan.FromSeconds(4));
        journal.Observe(new BuildEvent.Started(Stage.Disk, "free space"));
        _time.Advance(TimeSpan.FromSeconds(2));
        journal.Observe(new BuildEvent.Finished(Stage.Disk, TimeSpan.FromSeconds(2), "less"));
        journal.Observe(new BuildEvent.Finished(Stage.Install, TimeSpan.FromSeconds(6), "more"));
        journal.Observe(new BuildEvent.Started(Stage.Formats, "img"));
        _time.Advance(TimeSpan.FromSeconds(1));

        Assert.That(journal.Stages, Is.EqualTo(new StageRecord[]
        {
            new(Stage.Install, "iso", 0, 6, "more"),
            new(Stage.Disk, "free space", 4, 2, "less"),
            new(Stage.Formats, "img", 6, 1, null),
        }));
        Assert.That(journal.SecondsByStage, Is.EqualTo(new Dictionary<string, double> { ["install"] = 6, ["disk"] = 2 }));
        Assert.That(journal.Seconds, Is.EqualTo(7));
    }
}
