using Crust.Attestation;
using Crust.Events;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries.Sharing;

/// <summary>Opens the caches in registries that specs name.</summary>
/// <param name="tools">Needs skopeo.</param>
internal sealed class SharedCaches(ToolBox tools, BuildCache cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Signs the disks that are pushed, where a spec says by which key; null for nobody.</summary>
    internal Signer? Signer { get; init; }

    /// <summary>The cache that a spec names, for one build; one that is never asked if it names none.</summary>
    /// <exception cref="CrustException">A file of keys that it names isn't there.</exception>
    internal SharedCache Open(BuildSpec spec)
    {
        var trust = new CacheTrust(tools, spec.CacheTrust, cache.Root);
        trust.CheckKeys();
        return new(tools, spec, cache.Root, FirstWait, observer, time) { Trust = trust, Signer = Signer };
    }

    /// <summary>The same, but one that is never asked where other machines couldn't tell whether its disks have the same secrets as the build.</summary>
    internal SharedCache Open(BuildSpec spec, BuildKeys keys, BuildJournal journal)
    {
        if (spec.Cache is null || keys.IsShareable)
            return Open(spec);
        journal.Warn([$"the cache oci://{spec.Cache} isn't used: the build has secrets, and no key that machines share shows whether others have the same (publish.keySecret, BUILD_KEY_SECRET)"]);
        return Open(spec with { Cache = null });
    }
}
