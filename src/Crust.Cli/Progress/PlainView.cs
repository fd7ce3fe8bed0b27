using Crust.Spec;
using Serilog.Events;

namespace Crust.Cli.Progress;

/// <summary>One line for each event, as text or in JSON, and a heartbeat while a stage goes on: CI ends jobs that say nothing.</summary>
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
                    Write(started.Stage, $"{_out.Hidden.Line(started.Detail)} …", "StageStarted", "{Stage:l} begins: {Detail:l}", ("Detail", started.Detail));
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

                    Write(finished.Stage, $"{_out.Hidden.Line(finished.Detail)} ({Duration.Format(finished.Elapsed)})", "StageFinished", "{Stage:l} is done after {Seconds} s: {Detail:l}",
                        ("Detail", finished.Detail), ("Seconds", Math.Round(finished.Elapsed.TotalSeconds, 3)));
                    break;
                case BuildEvent.Noted noted:
                    _out.Write(LogEventLevel.Information, "Note", $"{Clock()} note       {_out.Hidden.Line(noted.Message)}", "{Message:l}", ("Message", noted.Message));
                    break;
                case BuildEvent.Warned warned:
                    _out.Write(LogEventLevel.Warning, "Warning", $"{Clock()} warning    {_out.Hidden.Line(warned.Message)}", "{Message:l}", ("Message", warned.Message));
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
            if (_running.Count == 0)
            {
                return;
            }

            var stage = _running[^1];
            var latest = _latest.Where(pair => pair.Key.Item1 == stage)
                .Select(pair => pair.Value with { Item = pair.Value.Item is { } item ? _out.Hidden.Line(item) : null, Detail = _out.Hidden.Progress(pair.Value.Detail) }).ToList();
            if (_out.Format is LogFormat.Json)
            {
                foreach (var progress in latest.DefaultIfEmpty(new BuildEvent.Progressed(stage, null, null, "")))
                {
                    Write(stage, "", "Progress", Line(progress) is { Length: > 0 } ? "{Stage:l}: {Progress:l}" : "{Stage:l} goes on",
                        ("Progress", Line(progress)), ("Item", progress.Item), ("Fraction", progress.Fraction), ("Detail", progress.Detail.Length > 0 ? progress.Detail : null));
                }
            }
            else
            {
                Write(stage, latest.Count == 0 ? "…" : string.Join(" | ", latest.Select(Line)), "Progress", "");
            }
        }
    }

    private void Write(Stage stage, string text, string kind, string template, params IEnumerable<(string Name, object? Value)> properties)
    {
        var name = stage.ToString().ToLowerInvariant();
        _out.Write(LogEventLevel.Information, kind, $"{Clock()} {name,-10} {text}".TrimEnd(), template, properties.Prepend(("Stage", name)));
    }

    private string Clock()
    {
        var elapsed = _time.GetElapsedTime(_started);
        return $"{(int)elapsed.TotalMinutes,3}:{elapsed.Seconds:00}";
    }
}
