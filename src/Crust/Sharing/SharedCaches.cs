using Crust.Cache;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Sharing;

/// <summary>Opens the caches in registries that specs name.</summary>
/// <param name="tools">Needs skopeo.</param>
/// <param name="cache">This machine's own cache.</param>
/// <param name="observer">Told how it goes.</param>
/// <param name="time">Waits and measures.</param>
public sealed class SharedCaches(ToolBox tools, BuildCache cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The cache that a spec names, for one build; one that is never asked if it names none.</summary>
    internal SharedCache Open(BuildSpec spec) => new(tools, spec, cache.Root, FirstWait, observer, time);
}
