using System.Collections.Immutable;
using Crust.Spec;

namespace Crust;

/// <summary>Runs stages, tells observers when each begins and ends, and remembers how long each took.</summary>
internal sealed class StageRunner(IBuildObserver observer, TimeProvider time)
{
    private ImmutableSortedDictionary<string, double> _seconds = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>Seconds by the stage's name in camel case.</summary>
    public ImmutableSortedDictionary<string, double> Seconds => _seconds;

    /// <summary>Runs one stage. <paramref name="result"/> says in a few words what came of it.</summary>
    public async Task<T> RunAsync<T>(Stage stage, string detail, Func<Task<T>> work, Func<T, string> result)
    {
        observer.Observe(new BuildEvent.Started(stage, detail));
        var started = time.GetTimestamp();
        var value = await work();
        var elapsed = time.GetElapsedTime(started);
        var name = stage.LowerName();
        _seconds = _seconds.SetItem(name, Math.Round(_seconds.GetValueOrDefault(name) + elapsed.TotalSeconds, 3));
        observer.Observe(new BuildEvent.Finished(stage, elapsed, result(value)));
        return value;
    }
}
