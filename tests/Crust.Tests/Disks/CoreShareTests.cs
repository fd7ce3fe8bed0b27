using Crust.Disks;

namespace Crust.Tests.Disks;

[CancelAfter(60_000)]
public sealed class CoreShareTests
{
    private static CancellationToken Cancellation => TestContext.CurrentContext.CancellationToken;

    [Test]
    public async Task What_works_piece_by_piece_gets_the_cores_that_nobody_has_leased([Values(0, 1, 2)] int leased)
    {
        using var cores = new CoreShare(3);
        var leases = await Task.WhenAll(Enumerable.Range(0, leased).Select(_ => cores.LeaseAsync(Cancellation)));

        await AssertAtOnceAsync(cores, 3 - leased);

        foreach (var lease in leases)
        {
            lease.Dispose();
        }

        await AssertAtOnceAsync(cores, 3);
    }

    [Test]
    public async Task The_only_core_of_a_host_is_never_taken_away()
    {
        using var cores = new CoreShare(1);
        using var first = await cores.LeaseAsync(Cancellation);
        using var second = await cores.LeaseAsync(Cancellation);

        await AssertAtOnceAsync(cores, 1);
    }

    [Test]
    public async Task Work_that_fails_gives_its_core_back()
    {
        using var cores = new CoreShare(1);

        await Assert.ThatAsync(() => cores.RunAsync(() => throw new IOException("no"), Cancellation), Throws.InstanceOf<IOException>());

        await AssertAtOnceAsync(cores, 1);
    }

    [Test]
    public async Task Waiting_for_a_core_can_be_cancelled()
    {
        using var cores = new CoreShare(2);
        using var one = await cores.LeaseAsync(Cancellation);
        using var other = await cores.LeaseAsync(Cancellation);
        using var cancelling = new CancellationTokenSource();

        var waiting = cores.RunAsync(() => { }, cancelling.Token);
        await cancelling.CancelAsync();

        await Assert.ThatAsync(() => waiting, Throws.InstanceOf<OperationCanceledException>());
    }

    // So many run at once, and no more. The first ones wait for each other, however busy this host is; on threads of their own, since the pool may have fewer than there are shares.
    private static async Task AssertAtOnceAsync(CoreShare cores, int expected)
    {
        var (running, most) = (0, 0);
        var gate = new Lock();
        using var all = new ManualResetEventSlim();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => Task.Factory.StartNew(() => cores.RunAsync(() =>
        {
            lock (gate)
            {
                most = Math.Max(most, ++running);
                if (running == expected)
                {
                    all.Set();
                }
            }

            all.Wait(Cancellation);
            // In which one too many would come.
            Thread.Sleep(20);
            lock (gate)
            {
                running--;
            }
        }, Cancellation).Wait(Cancellation), Cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
        Assert.That(most, Is.EqualTo(expected));
    }
}
