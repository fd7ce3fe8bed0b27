using System.Collections.Immutable;

namespace Crust;

/// <summary>Passes events on and remembers the warnings among them, for the manifest.</summary>
internal sealed class WarningLog(IBuildObserver observer) : IBuildObserver
{
    private readonly Lock _lock = new();
    private ImmutableArray<string> _messages = [];

    public ImmutableArray<string> Messages => _messages;

    public void Warn(params IEnumerable<string?> messages)
    {
        foreach (var message in messages.OfType<string>())
        {
            Observe(new BuildEvent.Warned(message));
        }
    }

    public void Observe(BuildEvent buildEvent)
    {
        if (buildEvent is BuildEvent.Warned warned)
        {
            lock (_lock)
            {
                _messages = _messages.Add(warned.Message);
            }
        }

        observer.Observe(buildEvent);
    }
}
