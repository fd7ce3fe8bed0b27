using Crust.Installers;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>Composes what an installer is told.</summary>
/// <param name="newInstanceId">Makes an id that no other build has; null for a random one.</param>
public sealed class SeedComposer(Func<Guid>? newInstanceId = null)
{
    /// <summary>Composes a seed for one build, with a fresh instance-id; reads the files that the spec names.</summary>
    /// <exception cref="CrustException">As <see cref="Seed.Compose"/>.</exception>
    public Seed Compose(BuildSpec spec, InstallerIso installer) =>
        Seed.Compose(spec, installer.Sha256, newInstanceId?.Invoke() ?? Guid.NewGuid());
}
