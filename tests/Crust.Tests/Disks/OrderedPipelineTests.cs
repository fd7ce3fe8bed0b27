using System.Collections.Concurrent;
using Crust.Disks;

namespace Crust.Tests.Disks;

[CancelAfter(60_000)]
public sealed class OrderedPipelineTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    private sealed class Slot
    {
        public int Value;
        public int Result;
    }

    [Test]
    public async Task What_is_filled_first_is_drained_first_however_long_the_work_takes([Values(1, 2, 7)] int workers)
    {
        var next = 0;
        var drained = new List<int>();

        await OrderedPipeline.RunAsync(
            Slots(5),
            slot => (slot.Value = next++) < 1000,
            Enumerable.Range(0, workers).Select(_ => (Action<Slot>)(slot =>
            {
                Thread.SpinWait(slot.Value % 13 * 500);
                slot.Result = slot.Value * 2;
            })),
            slot => drained.Add(slot.Result),
            null,
            Cancellation);

        Assert.That(drained, Is.EqualTo(Enumerable.Range(0, 1000).Select(value => value * 2)));
    }

    [Test]
    public async Task Nothing_to_fill_is_an_end_like_any_other()
    {
        var drained = 0;

        await OrderedPipeline.RunAsync(Slots(2), _ => false, [_ => { }], _ => drained++, null, Cancellation);

        Assert.That(drained, Is.Zero);
    }

    [Test]
    public async Task There_are_never_more_slots_in_use_than_were_given()
    {
        var (inUse, most, next) = (0, 0, 0);

        await OrderedPipeline.RunAsync(
            Slots(3),
            _ =>
            {
                most = Math.Max(most, Interlocked.Increment(ref inUse));
                return next++ < 500;
            },
            [_ => { }, _ => { }],
            _ => Interlocked.Decrement(ref inUse),
            null,
            Cancellation);

        Assert.That(most, Is.LessThanOrEqualTo(3));
    }

    [Test]
    public async Task Workers_work_side_by_side()
    {
        // Each waits for the other, which comes only if it isn't waited for.
        using var meeting = new Barrier(2);
        var next = 0;
        Action<Slot> meet = _ => Assert.That(meeting.SignalAndWait(TimeSpan.FromSeconds(30), Cancellation), Is.True);

        await OrderedPipeline.RunAsync(Slots(2), _ => next++ < 2, [meet, meet], _ => { }, null, Cancellation);

        Assert.That(meeting.CurrentPhaseNumber, Is.EqualTo(1));
    }

    [TestCase("fill")]
    [TestCase("work")]
    [TestCase("drain")]
    public async Task A_step_that_fails_ends_the_others_and_is_what_is_told(string failing)
    {
        var calls = new ConcurrentDictionary<string, int>();
        void Step(string name)
        {
            if (calls.AddOrUpdate(name, 1, (_, count) => count + 1) == 20 && name == failing)
            {
                throw new IOException($"{name} failed");
            }
        }

        var error = (await Assert.ThrowsAsync<IOException>(() => OrderedPipeline.RunAsync(
            Slots(4),
            _ =>
            {
                Step("fill");
                return true;
            },
            [_ => Step("work"), _ => Step("work")],
            _ => Step("drain"),
            null,
            Cancellation)))!;

        Assert.That(error.Message, Is.EqualTo($"{failing} failed"));
    }

    [Test]
    public async Task Cancelling_ends_a_stream_that_has_no_end()
    {
        using var cancel = new CancellationTokenSource();
        var drained = 0;

        await Assert.ThatAsync(
            () => OrderedPipeline.RunAsync(
                Slots(4),
                _ => true,
                [_ => { }, _ => { }],
                _ =>
                {
                    if (++drained == 50)
                    {
                        cancel.Cancel();
                    }
                },
                null,
                cancel.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(drained, Is.GreaterThanOrEqualTo(50));
    }

    private static IEnumerable<Slot> Slots(int count) => Enumerable.Range(0, count).Select(_ => new Slot());
}
