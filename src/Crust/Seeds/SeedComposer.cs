using Crust.Isos;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>Composes what an installer is told.</summary>
/// <param name="newInstanceId">Makes an id that no other build has; null for a random one.</param>
internal sealed class SeedComposer(Func<Guid>? newInstanceId = null)
{
    /// <summary>Composes a seed for one build, with a fresh instance-id.</summary>
    /// <exception cref="CrustException">As <see cref="Seed.Compose"/>; or nobody knows where the ISO's installer would read it.</exception>
    public Seed Compose(BuildSpec spec, SeedFiles files, InstallerIso installer)
    {
        var profile = spec.Seed.Profile ?? installer.Profile;
        EmbeddedSeed.CheckPlace(spec.Seed, installer, profile);
        return Seed.Compose(spec, files, profile, installer.Sha256, newInstanceId?.Invoke() ?? Guid.NewGuid());
    }

    /// <summary>The seed's part of the build key: what the key material of a composed seed is, without composing all of it.</summary>
    /// <exception cref="CrustException">As <see cref="Compose"/>.</exception>
    public static SeedKey KeyMaterial(BuildSpec spec, SeedFiles files, InstallerIso installer)
    {
        var profile = spec.Seed.Profile ?? installer.Profile;
        EmbeddedSeed.CheckPlace(spec.Seed, installer, profile);
        return KeyMaterial(spec, files, profile, installer.Sha256);
    }

    /// <summary>The same for an installer of which only this is known.</summary>
    public static SeedKey KeyMaterial(BuildSpec spec, SeedFiles files, SeedProfile? profile, string installerSha256) => Seed.KeyMaterialOf(spec, files, profile, installerSha256);

    /// <summary>Composes the seed that a build would, as far as that can be told without its installer.</summary>
    /// <exception cref="CrustException">As <see cref="Seed.Compose"/>.</exception>
    public Seed Preview(BuildSpec spec, SeedFiles files, SeedProfile? profile) => Seed.Compose(spec, files, profile, "", newInstanceId?.Invoke() ?? Guid.NewGuid());
}
