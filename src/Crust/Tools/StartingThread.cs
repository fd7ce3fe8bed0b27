using System.Collections.Concurrent;

namespace Crust.Tools;

/// <summary>
/// The thread that starts all programs; it lives as long as Crust. The kernel sends the signal that setpriv asks for (PR_SET_PDEATHSIG) when the thread
/// that started the program ends, not when its process does: a thread of the pool that retires would take the program with it.
/// </summary>
internal static class StartingThread
{
    private static readonly BlockingCollection<Action> Starts = Open();

    /// <summary>Runs a function on the thread and waits until it returns; it must not wait for anything itself.</summary>
    public static T Run<T>(Func<T> start)
    {
        var started = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts.Add(() =>
        {
            try
            {
                started.SetResult(start());
            }
            catch (Exception e)
            {
                started.SetException(e);
            }
        });
        return started.Task.GetAwaiter().GetResult();
    }

    private static BlockingCollection<Action> Open()
    {
        var starts = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var start in starts.GetConsumingEnumerable())
            {
                start();
            }
        })
        { IsBackground = true, Name = "starts programs" }.Start();
        return starts;
    }
}
