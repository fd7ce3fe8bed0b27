namespace Crust.Disks;

/// <summary>
/// The host's cores, shared by the images that are written side by side: a program that keeps one busy leases it, and Crust's own compressors take what is
/// left, each for one piece of work. Without that, a single-threaded conversion gets a third of a core, and everybody waits for it at the end.
/// </summary>
internal sealed class CoreShare(int cores) : IDisposable
{
    private readonly SemaphoreSlim _free = new(cores);

    /// <summary>One share for each core that this process may use.</summary>
    public static CoreShare OfHost() => new(Environment.ProcessorCount);

    /// <summary>Takes a core until the lease is disposed. On a host with a single one nothing is taken: all would wait for one another there.</summary>
    public async Task<IDisposable> LeaseAsync(CancellationToken cancellation)
    {
        if (cores == 1)
        {
            return new Lease(null);
        }

        await _free.WaitAsync(cancellation);
        return new Lease(_free);
    }

    /// <summary>Does one piece of work on a core, as soon as one is free.</summary>
    public async Task RunAsync(Action work, CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        try
        {
            work();
        }
        finally
        {
            _free.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();

    private sealed class Lease(SemaphoreSlim? core) : IDisposable
    {
        public void Dispose() => core?.Release();
    }
}
