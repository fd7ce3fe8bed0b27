using System.Collections.Immutable;
using Crust.Sanitizing;

namespace Crust.Events;

/// <summary>A stage of a build, as it went.</summary>
/// <param name="Detail">What it worked on, in a few words.</param>
/// <param name="Start">When it began, in seconds since the build's start.</param>
/// <param name="Seconds">How long it took, or until the build failed.</param>
/// <param name="Result">What came of it, in a few words; null if the build failed in it.</param>
internal sealed record StageRecord(Stage Stage, string Detail, double Start, double Seconds, string? Result);

/// <summary>
/// Passes the events of one build on and remembers what the manifest and the report tell of them. All rooms are given it as their
/// observer, so that what is warned of inside a stage is remembered as well.
/// </summary>
/// <param name="hidden">Takes secrets out of what is remembered; null if there are none.</param>
internal sealed class BuildJournal(IBuildObserver observer, TimeProvider time, Redactor? hidden = null) : IBuildObserver
{
    private readonly Redactor _hidden = hidden ?? new Redactor();
    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private readonly WarningList _warnings = new();
    private ImmutableArray<(Stage Stage, string Detail, double Start)> _running = [];
    private ImmutableArray<StageRecord> _finished = [];

    public DateTimeOffset Started { get; } = time.GetUtcNow();

    /// <summary>What was warned of so far, each once; of a guest that warned without end, the first ones and how many more there were.</summary>
    public ImmutableArray<string> Warnings
    {
        get
        {
            lock (_lock)
            {
                return _warnings.All;
            }
        }
    }

    /// <summary>Seconds since the build's start.</summary>
    public double Seconds => time.GetElapsedTime(_start).TotalSeconds;

    /// <summary>The stages that began so far, in that order. One that hasn't ended is one that the build failed in, if it has failed.</summary>
    public ImmutableArray<StageRecord> Stages
    {
        get
        {
            lock (_lock)
            {
                var unfinished = _running.Select(stage => new StageRecord(stage.Stage, stage.Detail, stage.Start, Seconds - stage.Start, null));
                return [.. _finished.Concat(unfinished).OrderBy(stage => stage.Start).ThenByDescending(stage => stage.Seconds)];
            }
        }
    }

    /// <summary>Seconds of each stage that has ended, by its name.</summary>
    public ImmutableSortedDictionary<string, double> SecondsByStage =>
        _finished.GroupBy(stage => stage.Stage.ToString().ToLowerInvariant())
            .ToImmutableSortedDictionary(group => group.Key, group => Math.Round(group.Sum(stage => stage.Seconds), 3), StringComparer.Ordinal);

    /// <summary>Reports that another process installs the same disk, and that its result is waited for.</summary>
    internal void TellOfWait(Stage stage, string lockFile) =>
        Observe(new BuildEvent.Progressed(stage, null, null, $"another build {(stage is Stage.Install ? "installs" : "makes")} the same; waiting for its result"));

    /// <summary>Warns of what isn't null.</summary>
    public void Warn(params IEnumerable<string?> messages)
    {
        foreach (var message in messages.OfType<string>())
        {
            Observe(new BuildEvent.Warned(message));
        }
    }

    /// <inheritdoc/>
    public void Observe(BuildEvent buildEvent)
    {
        // Progress is cleaned by whoever shows it: a guest may report it a thousand times a second.
        buildEvent = buildEvent switch
        {
            BuildEvent.Warned warned => warned with { Message = _hidden.Line(warned.Message) },
            BuildEvent.Started started => started with { Detail = _hidden.Line(started.Detail) },
            BuildEvent.Finished finished => finished with { Detail = _hidden.Line(finished.Detail) },
            BuildEvent.Noted noted => noted with { Message = _hidden.Line(noted.Message) },
            _ => buildEvent,
        };
        lock (_lock)
        {
            if (buildEvent is BuildEvent.Warned warned)
            {
                if (_warnings.Add(warned.Message, warned.Source) is not { } told)
                {
                    return;
                }

                buildEvent = warned with { Message = told };
            }

            Remember(buildEvent);
        }

        observer.Observe(buildEvent);
    }

    private void Remember(BuildEvent buildEvent)
    {
        switch (buildEvent)
        {
            case BuildEvent.Started started:
                _running = _running.Add((started.Stage, started.Detail, Seconds));
                break;
            case BuildEvent.Finished finished when _running.LastOrDefault(stage => stage.Stage == finished.Stage) is { Detail: not null } began:
                _running = _running.Remove(began);
                _finished = _finished.Add(new StageRecord(began.Stage, began.Detail, began.Start, finished.Elapsed.TotalSeconds, finished.Detail));
                break;
        }
    }
}
