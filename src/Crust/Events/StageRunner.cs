namespace Crust.Events;

/// <summary>Runs stages, and tells observers when each begins and ends.</summary>
internal sealed class StageRunner(IBuildObserver observer, TimeProvider time)
{
    /// <summary>Runs one stage. <paramref name="result"/> says in a few words what came of it.</summary>
    public async Task<T> RunAsync<T>(Stage stage, string detail, Func<Task<T>> work, Func<T, string> result)
    {
        observer.Observe(new BuildEvent.Started(stage, detail));
        var started = time.GetTimestamp();
        var value = await work();
        observer.Observe(new BuildEvent.Finished(stage, time.GetElapsedTime(started), result(value)));
        return value;
    }
}
