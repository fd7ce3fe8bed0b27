using System.Threading.Channels;

namespace Crust.Disks;

/// <summary>
/// Parallel work on a stream that keeps its order: slots are filled one after the other, worked on side by side, and drained in
/// the order in which they were filled. The slots are all the memory there is, whatever the stream's length: when all are in use,
/// filling waits until one is drained.
/// </summary>
internal static class OrderedPipeline
{
    /// <summary>Runs until there is nothing more to fill and all is drained. All runs on the thread pool, so that pipelines side by side share its threads.</summary>
    /// <param name="slots">What is filled, worked on, drained and then filled again.</param>
    /// <param name="fill">Fills a slot with what comes next; false if nothing does. Never called twice at a time.</param>
    /// <param name="workers">Each works on one slot at a time; there are as many at work as there are workers.</param>
    /// <param name="drain">Takes a slot's result. Never called twice at a time.</param>
    /// <param name="cores">The cores on which they work; null where nobody else does.</param>
    /// <exception cref="OperationCanceledException">Cancelled; nothing is at work any more.</exception>
    /// <exception cref="Exception">What a step has thrown; the others are stopped first.</exception>
    public static async Task RunAsync<TSlot>(
        IEnumerable<TSlot> slots, Func<TSlot, bool> fill, IEnumerable<Action<TSlot>> workers, Action<TSlot> drain, CoreShare? cores, CancellationToken cancellation)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        // None needs a limit of its own: together they never hold more than the slots.
        var free = Channel.CreateUnbounded<TSlot>();
        var filled = Channel.CreateUnbounded<Job<TSlot>>();
        var ordered = Channel.CreateUnbounded<Job<TSlot>>();
        foreach (var slot in slots)
        {
            free.Writer.TryWrite(slot);
        }

        async Task FillAsync()
        {
            while (await free.Reader.ReadAsync(stop.Token) is var slot && fill(slot))
            {
                stop.Token.ThrowIfCancellationRequested();
                var job = new Job<TSlot>(slot);
                ordered.Writer.TryWrite(job);
                filled.Writer.TryWrite(job);
            }

            ordered.Writer.Complete();
            filled.Writer.Complete();
        }

        async Task WorkAsync(Action<TSlot> work)
        {
            await foreach (var job in filled.Reader.ReadAllAsync(stop.Token))
            {
                if (cores is null)
                {
                    work(job.Slot);
                }
                else
                {
                    await cores.RunAsync(() => work(job.Slot), stop.Token);
                }

                job.Done.SetResult();
                // The pool has as many threads as cores; filling, draining and other formats' work get their turn.
                await Task.Yield();
            }
        }

        async Task DrainAsync()
        {
            await foreach (var job in ordered.Reader.ReadAllAsync(stop.Token))
            {
                await job.Done.Task.WaitAsync(stop.Token);
                drain(job.Slot);
                free.Writer.TryWrite(job.Slot);
            }
        }

        async Task StepAsync(Func<Task> step)
        {
            try
            {
                await step();
            }
            catch
            {
                await stop.CancelAsync();
                throw;
            }
        }

        // A step that failed is told before those that were cancelled because of it.
        await Task.WhenAll([
            Task.Run(() => StepAsync(FillAsync), CancellationToken.None),
            .. workers.Select(work => Task.Run(() => StepAsync(() => WorkAsync(work)), CancellationToken.None)),
            Task.Run(() => StepAsync(DrainAsync), CancellationToken.None),
        ]);
    }

    private sealed record Job<TSlot>(TSlot Slot)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
