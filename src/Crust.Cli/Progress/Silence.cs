namespace Crust.Cli.Progress;

/// <summary>For commands that build nothing: there is nothing to watch.</summary>
internal sealed class Silence : IBuildObserver
{
    public void Observe(BuildEvent buildEvent)
    {
    }
}
