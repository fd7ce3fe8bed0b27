using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Progress;

/// <summary>Shows a build on standard error. Disposing it finishes the display; what follows is printed below it.</summary>
internal abstract class ProgressView : IBuildObserver, IAsyncDisposable
{
    /// <summary>A live view on a terminal, plain lines elsewhere.</summary>
    public static ProgressView Create(HostEnvironment environment, bool quiet, MessageWriter messages) =>
        quiet ? new QuietView(messages)
        : Console.IsErrorRedirected || !environment.HasCapableTerminal ? new PlainView(messages, TimeProvider.System)
        : new LiveView(messages, environment.WantsColor);

    public abstract void Observe(BuildEvent buildEvent);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Only warnings, and what was asked for.</summary>
internal sealed class QuietView(MessageWriter messages) : ProgressView
{
    public override void Observe(BuildEvent buildEvent)
    {
        if (buildEvent switch { BuildEvent.Warned warned => $"warning: {CleanText.Line(warned.Message)}", BuildEvent.Noted noted => $"note: {CleanText.Line(noted.Message)}", _ => null } is { } line)
        {
            messages.WriteLine(line);
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
