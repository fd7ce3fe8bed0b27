namespace Crust.Tests.Machine;

/// <summary>Watches a build that nobody watches.</summary>
internal sealed class NoObserver : IBuildObserver
{
    public void Observe(BuildEvent buildEvent)
    {
    }
}
