using Crust.Bases;
using Crust.Disks;
using Crust.Installers;
using Crust.Layers;
using Crust.Media;
using Crust.Spec;

namespace Crust.Planning;

/// <summary>Gets what a spec's system comes from: a vendor's installer, Crust's own, or a base.</summary>
/// <param name="indexes">The published indexes that extensions of layers are taken from.</param>
internal sealed class SourceLibrary(InstallerLibrary installers, BaseSource bases, IndexedSysexts indexes)
{
    /// <summary>The spec with the SHA-256 of each extension that it takes from a published index, which decides the build.</summary>
    /// <exception cref="CrustException">An index can't be had, isn't signed as the spec says, or hasn't the file.</exception>
    public Task<BuildSpec> PinAsync(BuildSpec spec, CancellationToken cancellation) => indexes.PinAsync(spec, cancellation);

    /// <summary>The installer ISO or the base image, fetched or built if need be, and checked.</summary>
    /// <exception cref="CrustException">It can't be had, or isn't what it should be.</exception>
    public async Task<DiskOrigin> GetAsync(BuildSpec spec, CancellationToken cancellation) =>
        spec.HasBase ? await bases.GetAsync(spec, cancellation) : await installers.GetAsync(spec.Installer, spec.Machine.Arch, cancellation);

    /// <summary>What is known of it at once: nothing is fetched, built, or read as a whole.</summary>
    /// <exception cref="CrustException">It can't be had, or isn't what it should be, as far as that shows.</exception>
    public SourceGlance Glance(BuildSpec spec) => spec.HasBase ? bases.Glance(spec) : installers.Glance(spec.Installer, spec.Machine.Arch);

    /// <summary>The family of systems that comes of it, as far as that is known at once; null if it isn't.</summary>
    public SeedProfile? ProfileOf(BuildSpec spec) => spec.HasBase ? null : installers.ProfileOf(spec.Installer);

    /// <summary>What the images are called where the spec doesn't name them. Nothing is looked at.</summary>
    internal static string NameOf(BuildSpec spec) => spec.HasBase ? BaseSource.NameOf(spec.Base) : InstallerLibrary.NameOf(spec.Installer, spec.Machine.Arch);

    /// <summary>The file's name without what it says of the file's kind.</summary>
    internal static string TitleOf(string source, bool isBase) => isBase ? BaseSource.TitleOf(source) : InstallerSource.TitleOf(source);

    /// <summary>The stage in which it is got.</summary>
    internal static Stage StageOf(BuildSpec spec) => spec.HasBase ? Stage.Base : Stage.Installer;
}
