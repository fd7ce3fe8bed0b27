using Crust.Disks;
using Crust.Downloads;
using Crust.Installers;
using Crust.Isos;
using Crust.Spec;

namespace Crust.Media;

/// <summary>Gets the installer that a spec names: a vendor's ISO, one that is made from a base, or Crust's reference installer.</summary>
internal sealed class InstallerLibrary(InstallerSource source, ReferenceInstaller reference, DebianInstaller debian, LiveInstaller live)
{
    /// <summary>The installer ISO, fetched or built if need be.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO.</exception>
    public Task<InstallerIso> GetAsync(InstallerSpec spec, Arch arch, CancellationToken cancellation) =>
        spec.Built is { HasBase: true } built ? InstallerRules.IsOfDebian(built) ? debian.GetAsync(built, cancellation) : live.GetAsync(built, cancellation)
        : spec.Iso is null ? reference.GetAsync(arch, cancellation) : source.GetAsync(spec, cancellation);

    /// <summary>What is known of the installer at once: nothing is fetched, built, or read as a whole.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO, as far as that shows.</exception>
    public SourceGlance Glance(InstallerSpec spec, Arch arch) => spec.Iso is not null ? source.Glance(spec)
        : spec.Built is { HasBase: true } built
            ? InstallerRules.IsOfDebian(built) || live.Find(built) is not { } made ? new SourceGlance(null, null, LiveInstaller.NameOf(built))
                : new SourceGlance(made.Size, made, made.BaseName)
        : reference.Find(arch) is { } iso ? new SourceGlance(iso.Size, iso, iso.BaseName)
        : new SourceGlance(ReferenceInstaller.AboutSize, null, ReferenceInstaller.NameFor(arch));

    /// <summary>What the images are called where the spec doesn't name them. Nothing is looked at.</summary>
    internal static string NameOf(InstallerSpec spec, Arch arch) => spec.Iso is { } iso ? InstallerSource.BaseNameOf(SourceNames.FileOf(iso))
        : spec.Built is { HasBase: true } built ? LiveInstaller.NameOf(built) : ReferenceInstaller.NameFor(arch);

    /// <summary>The family of systems that it installs, as far as that is known at once; null if it can't, as of an ISO that isn't downloaded yet.</summary>
    public SeedProfile? ProfileOf(InstallerSpec spec) => spec.Built is { HasBase: true } built ? InstallerSource.ProfileOfMade(built)
        : spec.Iso is null ? ReferenceInstaller.Profile : source.ProfileOf(spec.Iso);
}
