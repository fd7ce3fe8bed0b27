using Crust.Spec;

namespace Crust.Cli.Progress;

/// <summary>One line for each event, and a heartbeat while a stage goes on: CI ends jobs that say nothing.</summary>
internal sealed class PlainView : ProgressView
{
    internal static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(20);

    private readonly MessageWriter _out;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly long _started;
    private readonly Lock _lock = new();
    private readonly SortedDictionary<(Stage, string), BuildEvent.Progressed> _latest = [];

    // A stage may be inside another: the installer's build makes the appliance first.
    private readonly List<Stage> _running = [];

    public PlainView(TextWriter output, TimeProvider time)
    {
        _out = output as MessageWriter ?? new MessageWriter(output);
        _time = time;
        _started = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Beat(), null, Heartbeat, Heartbeat);
    }

    public override void Observe(BuildEvent buildEvent)
    {
        lock (_lock)
        {
            switch (buildEvent)
            {
                case BuildEvent.Started started:
                    _running.Add(started.Stage);
                    Write(started.Stage, $"{_out.Hidden.Line(started.Detail)} …");
                    break;
                case BuildEvent.Progressed progressed:
                    _latest[(progressed.Stage, progressed.Item ?? "")] = progressed;
                    break;
                case BuildEvent.Finished finished:
                    _running.Remove(finished.Stage);
                    foreach (var done in _latest.Keys.Where(key => key.Item1 == finished.Stage).ToList())
                    {
                        _latest.Remove(done);
                    }

                    Write(finished.Stage, $"{_out.Hidden.Line(finished.Detail)} ({Duration.Format(finished.Elapsed)})");
                    break;
                case BuildEvent.Noted noted:
                    _out.WriteLine($"{Clock()} note       {_out.Hidden.Line(noted.Message)}");
                    break;
                case BuildEvent.Warned warned:
                    _out.WriteLine($"{Clock()} warning    {_out.Hidden.Line(warned.Message)}");
                    break;
            }
        }
    }

    public override ValueTask DisposeAsync() => _timer.DisposeAsync();

    internal static string Line(BuildEvent.Progressed progress) =>
        string.Join("  ", new[] { progress.Item, progress.Fraction is { } fraction ? $"{fraction:0 %}" : null, progress.Detail }.Where(part => !string.IsNullOrEmpty(part)));

    private void Beat()
    {
        lock (_lock)
        {
            if (_running.Count > 0)
            {
                var stage = _running[^1];
                var lines = _latest.Where(pair => pair.Key.Item1 == stage).Select(pair => Line(pair.Value with { Item = pair.Value.Item is { } item ? _out.Hidden.Line(item) : null, Detail = _out.Hidden.Progress(pair.Value.Detail) })).ToList();
                Write(stage, lines.Count == 0 ? "…" : string.Join(" | ", lines));
            }
        }
    }

    private void Write(Stage stage, string text) => _out.WriteLine($"{Clock()} {stage.ToString().ToLowerInvariant(),-10} {text}".TrimEnd());

    private string Clock()
    {
        var elapsed = _time.GetElapsedTime(_started);
        return $"{(int)elapsed.TotalMinutes,3}:{elapsed.Seconds:00}";
    }
}
