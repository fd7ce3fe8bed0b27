using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Crust.Attestation;
using Crust.Events;
using Crust.Formats;
using Crust.Host;
using Crust.Images;
using Crust.Installers;
using Crust.Machines;
using Crust.Planning;
using Crust.Registries.Sharing;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Storage;
using Crust.Verification;

namespace Crust;

/// <summary>What a build leaves.</summary>
/// <param name="Manifest">All facts, as they were written.</param>
/// <param name="Images">The paths of the images that were asked for.</param>
/// <param name="UpToDate">Whether there was nothing to do.</param>
/// <param name="Report">The path of the report; null if there was nothing to do, or it couldn't be written.</param>
public sealed record BuildResult(Manifest Manifest, ImmutableArray<string> Images, bool UpToDate, string? Report);

/// <summary>
/// The main job, as a story. Each stage takes what the one before returned:
/// spec → preflight → installer → seed → machine → installed disk → images → proof → manifest, report.
/// </summary>
public sealed class ImageBuild(
    Preflight preflight,
    InstallerLibrary installers,
    SeedComposer seeds,
    ImageSource source,
    SharedCaches caches,
    ImageWriter writer,
    ImageProver prover,
    Attestor attestor,
    LocalKey localKey,
    ImagesFolder shelf,
    BuildLog log,
    BuildJournal journal,
    Redactor hidden,
    TimeProvider time)
{
    /// <summary>Builds what the spec asks for; what is there already and unchanged is reused.</summary>
    /// <exception cref="CrustException">Anything that a user can cause or cure. No image has changed then.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. No process and no file is left.</exception>
    public async Task<BuildResult> RunAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var stages = new StageRunner(journal, time);
        hidden.Hide(spec);
        OutputCheck.Check(spec, spec.Name ?? InstallerLibrary.NameOf(spec.Installer, spec.Machine.Arch), shelf);

        var host = await stages.RunAsync(Stage.Preflight, "this host",
            () => preflight.CheckAsync(spec, cancellation),
            ready => ready.Describe());
        journal.Warn(host.Warnings);
        var signingKey = await attestor.TryKeyAsync(spec.Sign, cancellation);

        var seedFiles = SeedFiles.Read(spec.Seed);
        var profile = spec.Seed.Profile ?? installers.ProfileOf(spec.Installer);
        journal.Warn(SeedReview.Pass(SeedChecks.Check(spec, seedFiles, profile), spec.Seed.Strict));
        var installer = await stages.RunAsync(Stage.Installer, spec.Installer.Shown,
            () => installers.GetAsync(spec.Installer, spec.Machine.Arch, cancellation),
            iso => $"{Path.GetFileName(iso.Path)}, {Size.Format(iso.Size)}");
        BuildRules.CheckInstaller(installer, spec);
        // A download says only now what it installs, and its rules may be others.
        if (spec.Seed.Profile is null && installer.Profile != profile)
        {
            journal.Warn(SeedReview.Pass(SeedChecks.Check(spec, seedFiles, installer.Profile), spec.Seed.Strict).Except(journal.Warnings));
        }

        var seed = seeds.Compose(spec, seedFiles, installer);

        hidden.Hide(seed.Secrets.Select(secret => secret.Reveal()));

        var name = spec.Name ?? installer.BaseName;
        var keys = BuildKey.For(installer, seed, spec, localKey.Get);
        var proof = spec.Verify.Boot ?? installer.IsReference ? new ExpectedProof(spec.Machine.Firmware, spec.Verify) : null;
        var plan = ImagePlan.For(spec.Formats, shelf.HasSbom(name) ? shelf.FindIntact(name) : [], keys.Published, format => writer.RecipeOf(format, spec), proof,
            (format, image) => image.SecretsMark == keys.Mark && ImagePlan.IsOfLibrary(image, ImageWriter.LibraryOf(format, spec)));
        if (plan.IsUpToDate && shelf.LoadManifest(name) is { } current)
        {
            var isCurrent = Attestor.IsCurrent(current, signingKey, shelf.IsIntact) && Attestor.IsManifestSigned(spec.Sign, shelf.ManifestPath(name));
            current = isCurrent ? current : await AttestAsync(current, spec, cancellation);
            return new BuildResult(current, shelf.PathsOf(current, spec.Formats), isCurrent, null);
        }

        using var drafts = shelf.CreateDrafts();
        var files = RunFiles.Draft(drafts.Path, shelf.PrefixOf(name));
        using var cache = caches.Open(spec, keys, journal);
        var order = new DiskOrder(keys.Published, spec, installer, seed, seedFiles, plan, host.Accelerator.Used, files, drafts.Path) { Name = name, LocalKey = keys.Local, Shared = new SharedDisks(cache), Finished = new FinishedImages(cache) };
        var story = new BuildStory
        {
            Name = name,
            Spec = spec,
            Hidden = hidden,
            SecretsCarried = seed.SecretPaths,
            Installer = installer,
            SeedFiles = seedFiles.Files,
            BuildKey = keys.Published,
            SecretsMark = keys.Mark,
            ImagesFolder = shelf.Path,
            Host = HostFacts.Read(),
        };
        try
        {
            var made = await source.GetAsync(order, drafts, disk => story = story.With(disk, files), stages, cancellation);

            journal.Warn(made.Failure is null ? null : $"only a part of the images could be written: {string.Join(", ", made.Images.Select(image => image.Format.Name))}");
            var proofs = proof is null ? Proofs.None(made.Images) : await stages.RunAsync(Stage.Verify, spec.Verify.Describe(),
                () => prover.ProveAsync(made.Images, plan.ToProve, spec, host.Accelerator.Used, drafts, cancellation),
                proven => proven.Describe());

            var manifest = await shelf.PublishAsync(Manifest.Of(story, made.Disk, journal, proofs.Known), proofs.Fresh,
                facts => attestor.WriteAsync(facts, spec, made.Sbom, drafts.Path, cancellation), cancellation);
            await attestor.SignManifestAsync(spec.Sign, shelf.ManifestPath(name), drafts.Path, cancellation);
            if (made.Failure is { } failure)
            {
                ExceptionDispatchInfo.Throw(failure);
            }

            var report = ReportFile.TryWrite(story.Ended(journal, manifest), shelf.ReportPath(name), drafts.Path);
            files.KeepLog();
            await order.Shared.PushAsync(made.Installed, order.Build, stages, cancellation);
            log.KeepAs(shelf.LogPath(name), drafts.Path);
            return new BuildResult(manifest, shelf.PathsOf(manifest, spec.Formats), UpToDate: false, report);
        }
        catch (CrustException e)
        {
            e.Report = ReportFile.TryWrite(story.Ended(journal, e, files), shelf.ReportPath(name), drafts.Path);
            files.KeepAll();
            log.KeepAs(shelf.LogPath(name), drafts.Path);
            throw;
        }
    }

    // The images are current; what says where they come from isn't: somebody has removed it, or another key signs.
    private async Task<Manifest> AttestAsync(Manifest current, BuildSpec spec, CancellationToken cancellation)
    {
        using var drafts = shelf.CreateDrafts();
        var manifest = await shelf.PublishAsync(current with { Images = shelf.FindIntact(current.Name) }, [],
            made => attestor.WriteAsync(made, spec, null, drafts.Path, cancellation), cancellation);
        await attestor.SignManifestAsync(spec.Sign, shelf.ManifestPath(manifest.Name), drafts.Path, cancellation);
        return manifest;
    }
}
