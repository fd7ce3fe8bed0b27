using Crust.Bases;
using Crust.Disks;
using Crust.Events;
using Crust.Host;
using Crust.Isos;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

/// <param name="Preflight">Says whether there is room.</param>
/// <param name="Machine">Boots installers.</param>
/// <param name="Images">Puts base images onto disks.</param>
/// <param name="Roots">Puts root file systems onto disks.</param>
internal sealed record DiskMakers(Preflight Preflight, InstallerMachine Machine, BaseWriter Images, RootWriter Roots);

internal sealed class DiskSources(SourceLibrary sources, SeedComposer seeds, DiskMakers makers, LocalKey localKey, BuildJournal journal, Redactor hidden, TimeProvider time)
{
    /// <inheritdoc cref="SourceLibrary.PinAsync"/>
    internal Task<BuildSpec> PinAsync(BuildSpec spec, CancellationToken cancellation) => sources.PinAsync(spec, cancellation);

    /// <summary>Fetches a base image; or fetches or builds an installer, and composes and checks what it will be told.</summary>
    /// <exception cref="CrustException">The image or the installer can't be had, or doesn't fit its machine; or the seed has an error.</exception>
    internal Task<IDiskSource> OpenAsync(BuildSpec spec, StageRunner stages, CancellationToken cancellation) =>
        spec.HasBase ? OpenBaseAsync(spec, stages, cancellation) : OpenInstallerAsync(spec, stages, cancellation);

    private async Task<IDiskSource> OpenBaseAsync(BuildSpec spec, StageRunner stages, CancellationToken cancellation)
    {
        var image = (BaseImage)await FetchAsync(spec, stages, cancellation);
        return new BaseDisk(TargetOf(spec, SeedFiles.Read(spec.Seed), image), image, makers, time);
    }

    private async Task<IDiskSource> OpenInstallerAsync(BuildSpec spec, StageRunner stages, CancellationToken cancellation)
    {
        var files = SeedFiles.Read(spec.Seed);
        var profile = spec.Seed.Profile ?? sources.ProfileOf(spec);
        journal.Warn(SeedReview.Pass(SeedChecks.Check(spec, files, profile), spec.Seed.Strict));

        var iso = (InstallerIso)await FetchAsync(spec, stages, cancellation);
        BuildRules.CheckInstaller(iso, spec);
        // A download says only now what it installs, and its rules may be others.
        if (spec.Seed.Profile is null && iso.Profile != profile)
        {
            journal.Warn(SeedReview.Pass(SeedChecks.Check(spec, files, iso.Profile), spec.Seed.Strict).Except(journal.Warnings));
        }

        var seed = seeds.Compose(spec, files, iso);
        hidden.Hide(seed.Secrets.Select(secret => secret.Reveal()));
        return new InstallerDisk(TargetOf(spec, files, iso), iso, seed, files, makers.Preflight, makers.Machine, journal);
    }

    private Task<DiskOrigin> FetchAsync(BuildSpec spec, StageRunner stages, CancellationToken cancellation) => stages.RunAsync(SourceLibrary.StageOf(spec), spec.ShownSource,
        () => sources.GetAsync(spec, cancellation), origin => $"{Path.GetFileName(origin.Path)}, {Size.Format(origin.Size)}");

    private BuildTarget TargetOf(BuildSpec spec, SeedFiles files, DiskOrigin origin) =>
        BuildTarget.Of(spec, files, new SourceGlance(origin.Size, origin, origin.BaseName), localKey.Get);
}
