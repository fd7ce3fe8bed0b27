using Crust.Isos;
using Crust.Spec;

namespace Crust.Installers;

/// <summary>Gets the installer that a spec names: a vendor's ISO, or Crust's reference installer.</summary>
internal sealed class InstallerLibrary(InstallerSource source, ReferenceInstaller reference)
{
    /// <summary>The installer ISO, fetched or built if need be.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO.</exception>
    public Task<InstallerIso> GetAsync(InstallerSpec spec, Arch arch, CancellationToken cancellation) =>
        spec.Iso is null ? reference.GetAsync(arch, cancellation) : source.GetAsync(spec, cancellation);

    /// <summary>What is known of the installer at once: nothing is fetched, built, or read as a whole.</summary>
    /// <exception cref="CrustException">It can't be had, or is no bootable ISO, as far as that shows.</exception>
    public InstallerGlance Glance(InstallerSpec spec, Arch arch) => spec.Iso is not null ? source.Glance(spec)
        : reference.Find(arch) is { } iso ? new InstallerGlance(iso.Size, iso, iso.BaseName)
        : new InstallerGlance(ReferenceInstaller.AboutSize, null, ReferenceInstaller.NameFor(arch));

    /// <summary>What the images are called where the spec doesn't name them. Nothing is looked at.</summary>
    internal static string NameOf(InstallerSpec spec, Arch arch) => spec.Iso is { } iso ? InstallerSource.BaseNameOf(InstallerSource.FileOf(iso)) : ReferenceInstaller.NameFor(arch);

    /// <summary>The family of systems that it installs, as far as that is known at once; null if it can't, as of an ISO that isn't downloaded yet.</summary>
    public SeedProfile? ProfileOf(InstallerSpec spec) => spec.Iso is null ? ReferenceInstaller.Profile : source.ProfileOf(spec.Iso);
}

/// <summary>What is known of an installer before it is there.</summary>
/// <param name="Size">Its size in bytes, perhaps only about; null if it isn't known.</param>
/// <param name="Iso">The ISO, if it is on this host and its checksum is known; else null.</param>
/// <param name="BaseName">What the images are called where the spec doesn't name them.</param>
internal sealed record InstallerGlance(long? Size, InstallerIso? Iso, string BaseName)
{
    /// <summary>The SHA-256 in lower-case hex that an ISO which isn't here must have; null if the spec doesn't say it.</summary>
    public string? Promised { get; init; }
}
