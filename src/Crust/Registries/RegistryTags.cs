using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries;

/// <param name="tools">Needs skopeo.</param>
internal sealed class RegistryTags(ToolBox tools, string cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>The tags of a repository; none where the registry doesn't know it.</summary>
    /// <param name="repository">`registry/path`.</param>
    /// <exception cref="CrustException">skopeo is missing, or the registry doesn't say.</exception>
    public async Task<IReadOnlySet<string>> ListAsync(string repository, PublishSpec how, CancellationToken cancellation)
    {
        tools.Require(Skopeo.Program);
        using var scratch = new ScratchFolder(cache);
        return await new Registry(new Skopeo(tools, how, scratch.Path, time), how, FirstWait, observer, time).ListTagsAsync(repository, cancellation);
    }
}
