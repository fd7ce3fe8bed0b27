using System.Collections.Concurrent;
using Crust.Sanitizing;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Crust.Cli.Progress;

/// <summary>A bar for each stage, and for each thing that a stage does side by side.</summary>
internal sealed class LiveView : ProgressView
{
    private readonly Redactor _hidden;
    private readonly IAnsiConsole _console;
    private readonly TaskCompletionSource _finished = new();
    private readonly TaskCompletionSource<ProgressContext> _context = new();
    private readonly Task _display;
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<int, string> _details = new();
    private readonly Dictionary<(Stage, string), ProgressTask> _bars = [];

    public LiveView(MessageWriter messages, bool color)
    {
        _hidden = messages.Hidden;
        _console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            Ansi = AnsiSupport.Yes,
            ColorSystem = color ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
            Out = new AnsiConsoleOutput(messages.Raw),
        });
        _display = _console.Progress().AutoClear(false).HideCompleted(false)
            .Columns(new SpinnerColumn(), new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new ElapsedTimeColumn(),
                new DetailColumn(_details, _hidden))
            .StartAsync(async context =>
            {
                _context.SetResult(context);
                await _finished.Task;
            });
    }

    public override void Observe(BuildEvent buildEvent)
    {
        lock (_lock)
        {
            switch (buildEvent)
            {
                case BuildEvent.Started started:
                    Show(BarFor(started.Stage, null), null, started.Detail);
                    break;
                case BuildEvent.Progressed progressed:
                    Show(BarFor(progressed.Stage, progressed.Item), progressed.Fraction, progressed.Detail);
                    break;
                case BuildEvent.Finished finished:
                    Show(BarFor(finished.Stage, null), 1, finished.Detail);
                    foreach (var bar in _bars.Where(pair => pair.Key.Item1 == finished.Stage).Select(pair => pair.Value))
                    {
                        bar.IsIndeterminate = false;
                        bar.Value = 100;
                        bar.StopTask();
                    }

                    break;
                case BuildEvent.Noted noted:
                    _console.MarkupLineInterpolated($"[blue]note:[/] {_hidden.Line(noted.Message)}");
                    break;
                case BuildEvent.Warned warned:
                    _console.MarkupLineInterpolated($"[yellow]warning:[/] {_hidden.Line(warned.Message)}");
                    break;
            }
        }
    }

    public override async ValueTask DisposeAsync()
    {
        _finished.TrySetResult();
        await _display;
    }

    private void Show(ProgressTask bar, double? fraction, string detail)
    {
        bar.IsIndeterminate = fraction is null;
        bar.Value = (fraction ?? 0) * 100;
        _details[bar.Id] = detail;
    }

    private ProgressTask BarFor(Stage stage, string? item)
    {
        if (!_bars.TryGetValue((stage, item ?? ""), out var bar))
        {
            var name = stage.ToString().ToLowerInvariant();
            bar = _context.Task.GetAwaiter().GetResult().AddTask(Markup.Escape(item is null ? name : $"  {_hidden.Line(item)}"), maxValue: 100);
            _bars[(stage, item ?? "")] = bar;
        }

        return bar;
    }

    /// <summary>The words behind a bar, cut to what is left of the line.</summary>
    private sealed class DetailColumn(ConcurrentDictionary<int, string> details, Redactor hidden) : ProgressColumn
    {
        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(hidden.Progress(details.GetValueOrDefault(task.Id, ""))).Overflow(Overflow.Ellipsis);
    }
}
