using Crust.Machines;
using Crust.Machines.Watching;

namespace Crust.Tests.Machines.Watching;

public sealed class TraceRecorderTests
{
    [Test]
    public void A_long_run_keeps_a_bounded_number_of_samples_from_its_start_to_its_end()
    {
        var recorder = new TraceRecorder();
        for (var second = 0; second < 36_000; second++)
        {
            recorder.Observe(new MachineSignal.Written(second * 1000L, TimeSpan.FromSeconds(second / 2.0), TimeSpan.FromSeconds(second)), new MachineFacts(), TimeSpan.FromSeconds(second));
        }

        var samples = recorder.Trace([]).Samples;

        Assert.That(samples, Has.Length.InRange(TraceRecorder.Most / 4, TraceRecorder.Most));
        Assert.That(samples[0].Seconds, Is.Zero);
        Assert.That(samples[^1].Seconds, Is.GreaterThan(35_000));
        Assert.That(samples.Select(sample => sample.BytesWritten), Is.Ordered);
        Assert.That(samples.Zip(samples.Skip(1), (a, b) => b.Seconds - a.Seconds).Max(), Is.LessThan(300));
    }

    [Test]
    public void Boots_are_marked_when_the_guest_has_reset()
    {
        var recorder = new TraceRecorder();
        recorder.Observe(new MachineSignal.Reset(DateTimeOffset.UnixEpoch), new MachineFacts { Resets = 1 }, TimeSpan.FromSeconds(12.34));

        Assert.That(recorder.Trace([]).Boots, Is.EqualTo(new[] { 0, 12.3 }));
    }
}
