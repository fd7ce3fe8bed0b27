using Crust.Spec;

namespace Crust.Installers;

/// <summary>Gets the installer that a spec names: a vendor's ISO, or Crust's reference installer.</summary>
public sealed class InstallerLibrary(InstallerSource source, ReferenceInstaller reference)
{
    /// <summary>The installer ISO, fetched or built if need be.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO.</exception>
    public Task<InstallerIso> GetAsync(InstallerSpec spec, Arch arch, CancellationToken cancellation) =>
        spec.Iso is null ? reference.GetAsync(arch, cancellation) : source.GetAsync(spec, cancellation);
}
