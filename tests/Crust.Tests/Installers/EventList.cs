using System.Collections.Concurrent;

namespace Crust.Tests.Installers;

/// <summary>Keeps what it is told.</summary>
internal sealed class EventList : IBuildObserver
{
    private readonly ConcurrentQueue<BuildEvent> _events = new();

    public IReadOnlyList<BuildEvent> Events => [.. _events];

    public void Observe(BuildEvent buildEvent) => _events.Enqueue(buildEvent);
}
