using Crust.Sanitizing;
using Crust.Spec;
using Serilog.Events;

namespace Crust.Cli.Progress;

/// <summary>Shows a build on standard error. Disposing it finishes the display; what follows is printed below it.</summary>
internal abstract class ProgressView : IBuildObserver, IAsyncDisposable
{
    /// <summary>A live view on a terminal, plain lines elsewhere.</summary>
    public static ProgressView Create(HostEnvironment environment, bool quiet, MessageWriter messages) =>
        quiet ? new QuietView(messages)
        : messages.Format is LogFormat.Json || Console.IsErrorRedirected || !environment.HasCapableTerminal ? new PlainView(messages, TimeProvider.System)
        : new LiveView(messages, environment.WantsColor);

    public abstract void Observe(BuildEvent buildEvent);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Only warnings, and what was asked for.</summary>
internal sealed class QuietView(MessageWriter messages) : ProgressView
{
    public override void Observe(BuildEvent buildEvent)
    {
        switch (buildEvent)
        {
            case BuildEvent.Warned warned:
                messages.Warn(CleanText.Line(warned.Message));
                break;
            case BuildEvent.Noted noted:
                messages.Write(LogEventLevel.Information, "Note", $"note: {CleanText.Line(noted.Message)}", "{Message:l}", ("Message", noted.Message));
                break;
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
