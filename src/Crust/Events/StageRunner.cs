namespace Crust.Events;

/// <summary>Reports when the stages of a build begin and end.</summary>
internal sealed class StageRunner(IBuildObserver observer, TimeProvider time)
{
    /// <summary>Begins a stage. One that is never ended is the one that the build failed in.</summary>
    public RunningStage Begin(Stage stage, string detail)
    {
        observer.Observe(new BuildEvent.Started(stage, detail));
        return new RunningStage(stage, observer, time);
    }

    /// <summary>Runs one stage. <paramref name="result"/> says in a few words what came of it.</summary>
    public async Task<T> RunAsync<T>(Stage stage, string detail, Func<Task<T>> work, Func<T, string> result)
    {
        var running = Begin(stage, detail);
        var value = await work();
        running.End(result(value));
        return value;
    }
}

internal sealed class RunningStage(Stage stage, IBuildObserver observer, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>Ends it. <paramref name="result"/> says in a few words what came of it.</summary>
    public void End(string result) => observer.Observe(new BuildEvent.Finished(stage, time.GetElapsedTime(_started), result));
}
