using Crust.Isos;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds;

/// <param name="newInstanceId">Makes an id that no other build has; null for a random one.</param>
internal sealed class SeedComposer(Func<Guid>? newInstanceId = null)
{
    /// <summary>Composes a seed for one build, with a fresh instance-id.</summary>
    /// <exception cref="CrustException">As <see cref="Seed.Compose"/>; or nobody knows where the ISO's installer would read it.</exception>
    public Seed Compose(BuildSpec spec, SeedFiles files, InstallerIso installer)
    {
        var profile = spec.Seed.Profile ?? installer.Profile;
        EmbeddedSeed.CheckPlace(spec.Seed, installer, profile);
        return Seed.Compose(spec, files, profile, newInstanceId?.Invoke() ?? Guid.NewGuid());
    }

    /// <summary>The key of the seed that <see cref="Compose"/> would make of the same.</summary>
    /// <exception cref="CrustException">As <see cref="Compose"/>.</exception>
    public static SeedKey KeyOf(BuildSpec spec, SeedFiles files, InstallerIso installer)
    {
        var profile = spec.Seed.Profile ?? installer.Profile;
        EmbeddedSeed.CheckPlace(spec.Seed, installer, profile);
        return SeedKey.Of(spec, files, profile, installer.Sha256);
    }

    /// <summary>Composes the seed that a build would, as far as that is known without its installer.</summary>
    /// <exception cref="CrustException">As <see cref="Seed.Compose"/>.</exception>
    public Seed Preview(BuildSpec spec, SeedFiles files, SeedProfile? profile) => Seed.Compose(spec, files, profile, newInstanceId?.Invoke() ?? Guid.NewGuid());
}
