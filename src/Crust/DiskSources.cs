using Crust.Events;
using Crust.Host;
using Crust.Installers;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

internal sealed class DiskSources(Preflight preflight, InstallerLibrary installers, SeedComposer seeds, InstallerMachine machine, LocalKey localKey, BuildJournal journal, Redactor hidden)
{
    /// <summary>Fetches or builds the installer, and composes and checks what it will be told.</summary>
    /// <exception cref="CrustException">The installer can't be had or doesn't fit its machine, or the seed has an error.</exception>
    internal async Task<IDiskSource> OpenAsync(BuildSpec spec, StageRunner stages, CancellationToken cancellation)
    {
        var files = SeedFiles.Read(spec.Seed);
        var profile = spec.Seed.Profile ?? installers.ProfileOf(spec.Installer);
        journal.Warn(SeedReview.Pass(SeedChecks.Check(spec, files, profile), spec.Seed.Strict));

        var fetching = stages.Begin(Stage.Installer, spec.Installer.Shown);
        var iso = await installers.GetAsync(spec.Installer, spec.Machine.Arch, cancellation);
        fetching.End($"{Path.GetFileName(iso.Path)}, {Size.Format(iso.Size)}");
        BuildRules.CheckInstaller(iso, spec);
        // A download says only now what it installs, and its rules may be others.
        if (spec.Seed.Profile is null && iso.Profile != profile)
        {
            journal.Warn(SeedReview.Pass(SeedChecks.Check(spec, files, iso.Profile), spec.Seed.Strict).Except(journal.Warnings));
        }

        var seed = seeds.Compose(spec, files, iso);
        hidden.Hide(seed.Secrets.Select(secret => secret.Reveal()));
        return new InstallerDisk(BuildTarget.Of(spec, files, new InstallerGlance(iso.Size, iso, iso.BaseName), localKey.Get), iso, seed, files, preflight, machine, journal);
    }
}
