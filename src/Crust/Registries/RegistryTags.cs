using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries;

/// <summary>Says what repositories have.</summary>
/// <param name="tools">Needs skopeo.</param>
/// <param name="cache">The cache's folder.</param>
/// <param name="observer">Told of attempts that failed.</param>
/// <param name="time">Waits.</param>
internal sealed class RegistryTags(ToolBox tools, string cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The tags of a repository; none where the registry doesn't know it.</summary>
    /// <param name="repository">`registry/path`.</param>
    /// <param name="how">How the registry is reached.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CrustException">skopeo is missing, or the registry doesn't say.</exception>
    public async Task<IReadOnlySet<string>> ListAsync(string repository, PublishSpec how, CancellationToken cancellation)
    {
        tools.Require(Skopeo.Program);
        using var scratch = new ScratchFolder(cache);
        return await new Registry(new Skopeo(tools, how, scratch.Path, time), how, FirstWait, observer, time).ListTagsAsync(repository, cancellation);
    }
}
