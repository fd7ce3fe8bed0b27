using System.Collections.Immutable;
using Crust.Attestation;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Host;
using Crust.Images;
using Crust.Machines;
using Crust.Planning;
using Crust.Registries.Sharing;
using Crust.Reports;
using Crust.Sanitizing;
using Crust.Seeds.Secrets;
using Crust.Spec;
using Crust.Verification;

namespace Crust;

/// <summary>The main job, from top to bottom in the order in which it happens. CONTRIBUTING.md has the map.</summary>
internal sealed class ImageBuild(
    Preflight preflight, DiskSources sources, SharedCaches caches, DiskStore disks, DiskStage diskStage, LayerStage layerStage, ImageWriter writer, ImageStage imageStage, ImageProver prover,
    Attestor attestor, ImagesFolder shelf, BuildLog log, BuildJournal journal, Redactor hidden, TimeProvider time)
{
    /// <summary>Builds what the spec asks for; what is there already and unchanged is reused.</summary>
    /// <exception cref="CrustException">Anything that a user can cause or cure. No image has changed then.</exception>
    /// <exception cref="OperationCanceledException">Cancelled. No process and no file is left.</exception>
    public async Task<BuildResult> RunAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var stages = new StageRunner(journal, time);
        hidden.Hide(spec);
        OutputCheck.Check(spec, spec.Name ?? SourceLibrary.NameOf(spec), shelf);
        var login = SshLogin.Of(spec, hidden);

        // What it leaves to published indexes, which decides the build.
        spec = await sources.PinAsync(spec, cancellation);

        // The host: what it can do and lacks, before anything takes time.
        var checking = stages.Begin(Stage.Preflight, "this host");
        var host = await preflight.CheckAsync(spec, cancellation);
        checking.End(host.Describe());
        journal.Warn(host.Warnings);
        var signingKey = await attestor.TryKeyAsync(spec.Sign, cancellation);

        // The source: a base image; or the installer, and what the seed tells it. With it, the build's keys are known.
        var source = await sources.OpenAsync(spec, stages, cancellation);
        var (target, origin) = (source.Target.ProvenBy(login), source.Origin);
        var (name, keys) = (target.Name, target.Keys ?? throw new InvalidOperationException(target.Unknown));

        // The plan: which images are missing, or not proven.
        var plan = ImagePlan.For(target, shelf.HasSbom(name) ? shelf.FindIntact(name) : [], writer);
        if (plan.IsUpToDate && shelf.LoadManifest(name) is { } current)
        {
            var isCurrent = Attestor.IsCurrent(current, signingKey, shelf.IsIntact) && Attestor.IsManifestSigned(spec.Sign, shelf.ManifestPath(name));
            current = isCurrent ? current : await AttestAsync(current, spec, cancellation);
            return new BuildResult(current, shelf.PathsOf(current, spec.Formats), isCurrent, null);
        }

        using var drafts = shelf.CreateDrafts();
        var files = RunFiles.Draft(drafts.Path, shelf.PrefixOf(name));
        using var cache = caches.Open(spec, keys, journal);
        var build = new SharedBuild(keys.Published, name, spec, origin.Sha256);
        var sharedDisks = new SharedDisks(cache);
        var story = source.StoryOf(keys, hidden, shelf.Path);
        try
        {
            // Images that another machine has made of the same build. From a disk that is here, they are made sooner than they are pulled.
            var offers = disks.FindAllocated(keys.Local) is not null ? []
                : await new FinishedImages(cache).FindAsync(build, plan.ToWrite, format => writer.RecipeOf(format, spec), stages, cancellation);
            var made = await ImageStage.PullAsync(offers, build, plan.ToWrite, drafts, stages, cancellation);
            if (made is null)
            {
                // The disk: this machine's, another machine's, or a new one: QEMU boots the installer for it, or the base image is put onto it. Its layers come, and then care.
                var installing = stages.Begin(source.Filling, $"{Path.GetFileName(origin.Path)} on a disk of {Size.Format(spec.Machine.Disk)}");
                InstalledDisk? disk;
                using (var draft = await disks.OpenAsync(keys.Local, spec.Machine.Disk, lockFile => journal.TellOfWait(source.Filling, lockFile), cancellation))
                {
                    disk = draft.Found ?? await sharedDisks.PullAsync(build, draft, stages, cancellation);
                    if (disk is null)
                    {
                        source.CheckSpace(plan.ToWrite);
                        var filled = target.Layers.IsEmpty
                            ? await diskStage.FillAsync(source, draft, host.Accelerator.Used, files, cancellation)
                            : await layerStage.FillAsync(source, draft, host.Accelerator.Used, files, stages, cancellation);
                        disk = await diskStage.KeepAsync(filled, source, draft, host.Accelerator.Used, stages, cancellation);
                    }
                }

                installing.End(disk.FromCache ? origin.IsBase ? "from the cache" : "from the cache; the installer wasn't booted" : $"{Size.Format(disk.Allocated)} on the disk");
                disk = await diskStage.InspectAsync(disk, source, host.Accelerator.Used, drafts.Path, stages, cancellation);

                // The formats, side by side, from that one disk.
                made = await imageStage.WriteAsync(disk, offers, target, plan.ToWrite, drafts, stages, cancellation);
            }

            story = story.With(made.Disk, files);
            journal.Warn(made.Warning);

            // The proof: one of the images is booted, the others are compared with it.
            var proofs = Proofs.None(made.Images);
            if (target.Proof is { } proof)
            {
                var proving = stages.Begin(Stage.Verify, spec.Verify.Describe());
                proofs = await prover.ProveAsync(made.Images, made.Disk.Content, plan.ToProve, plan.Proven, proof, host.Accelerator.Used, drafts, cancellation);
                proving.End(proofs.Describe());
            }

            // Attestation, and the final names.
            var manifest = await PlaceAsync(Manifest.Of(story, made.Disk, journal, proofs.Known), proofs.Fresh, spec, made.Sbom, drafts.Path, cancellation);
            made.ThrowIfIncomplete();

            // The report, and the disk for other machines.
            var report = ReportFile.TryWrite(story.Ended(journal, manifest), shelf.ReportPath(name), drafts.Path);
            files.KeepLog();
            await sharedDisks.PushAsync(made.Installed, build, stages, cancellation);
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
        return await PlaceAsync(current with { Images = shelf.FindIntact(current.Name) }, [], spec, null, drafts.Path, cancellation);
    }

    private async Task<Manifest> PlaceAsync(Manifest facts, ImmutableArray<ProvenImage> images, BuildSpec spec, string? sbom, string drafts, CancellationToken cancellation)
    {
        using var placement = await shelf.PrepareAsync(facts, images, cancellation);
        var attestations = await attestor.WriteAsync(placement.Manifest, spec, sbom, drafts, cancellation);
        var manifest = placement.Finish(attestations);
        await attestor.SignManifestAsync(spec.Sign, shelf.ManifestPath(manifest.Name), drafts, cancellation);
        return manifest;
    }
}
