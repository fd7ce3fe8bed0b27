using Crust.Spec;

namespace Crust.Cli.Progress;

/// <summary>Shows a build on standard error. Disposing it finishes the display; what follows is printed below it.</summary>
internal abstract class ProgressView : IBuildObserver, IAsyncDisposable
{
    /// <summary>A live view on a terminal, plain lines elsewhere.</summary>
    public static ProgressView Create(HostEnvironment environment, bool quiet) =>
        quiet ? new QuietView()
        : Console.IsErrorRedirected || !environment.HasCapableTerminal ? new PlainView(Console.Error, TimeProvider.System)
        : new LiveView(environment.WantsColor);

    public abstract void Observe(BuildEvent buildEvent);

    public abstract ValueTask DisposeAsync();
}

/// <summary>Only warnings, and what was asked for.</summary>
internal sealed class QuietView : ProgressView
{
    public override void Observe(BuildEvent buildEvent)
    {
        if (buildEvent switch { BuildEvent.Warned warned => $"warning: {warned.Message}", BuildEvent.Noted noted => $"note: {noted.Message}", _ => null } is { } line)
        {
            Console.Error.WriteLine(line);
        }
    }

    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
