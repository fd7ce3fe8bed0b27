using System.Collections.Immutable;
using Crust.Formats;
using Crust.Machines;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Verification;

/// <summary>An image of which a proof is wanted, or that gives one to others.</summary>
/// <param name="Path">The image.</param>
/// <param name="Format">Its format.</param>
/// <param name="Content">What its disk holds: images of one content are of one disk.</param>
/// <param name="Proof">The proof that it has already; null for none.</param>
internal sealed record ProofCandidate(string Path, IImageFormat Format, string Content, ManifestProof? Proof)
{
    /// <summary>Its name.</summary>
    public string File => System.IO.Path.GetFileName(Path);
}

/// <summary>What came of proving an image: a proof, or that it showed nothing either way.</summary>
internal sealed record ImageProof(ManifestProof? Proof, ManifestUnproven? Unproven);

/// <summary>
/// Proves images. Those of one disk are compared with one of them, byte for byte, and that one is booted on each disk bus that one of them promises: a boot takes a minute
/// under emulation, a comparison as long as reading. What has a proof already is booted no more, and stands for others.
/// </summary>
internal sealed class ImageProver(BootVerifier verifier, ToolBox tools, Folders folders, IBuildObserver observer)
{
    /// <summary>Proves the images of a build as its spec asks.</summary>
    /// <param name="drafts">Images that were written, or pulled, just now.</param>
    /// <param name="content">What the disk holds of which they are.</param>
    /// <param name="known">Images of earlier builds that are current, and lack a proof.</param>
    /// <param name="proven">Images of earlier builds that have one.</param>
    /// <param name="expected">The proof.</param>
    /// <param name="accelerator">What runs the guests.</param>
    /// <param name="folder">A private folder for overlays and logs.</param>
    /// <exception cref="CrustException">One has failed to boot; its serial log is in the images folder then. Or one holds another disk than it should.</exception>
    internal async Task<Proofs> ProveAsync(IReadOnlyCollection<DraftImage> drafts, string content, IReadOnlyCollection<ManifestImage> known, IEnumerable<ManifestImage> proven,
        ExpectedProof expected, Accelerator accelerator, DraftFolder folder, CancellationToken cancellation)
    {
        // What another machine has proven needs no second proof.
        var fresh = drafts.Where(draft => draft.Format.HoldsDisk)
            .Select(draft => new ProofCandidate(draft.Path, draft.Format, content, expected.IsGivenBy(draft.Format, draft.Reused?.Verified) ? draft.Reused!.Verified : null)).ToList();
        var proofs = await ProveAsync([.. fresh.Where(image => image.Proof is null), .. known.Select(OfShelf)], [.. fresh.Where(image => image.Proof is not null), .. proven.Select(OfShelf)],
            expected, accelerator, folder, cancellation);
        return new Proofs(
            [.. drafts.Select(draft => proofs.TryGetValue(draft.Path, out var proof) ? new ProvenImage(draft, proof.Proof) { Unproven = proof.Unproven } : new ProvenImage(draft, null))],
            [.. known.Select(image => proofs[PathOf(image.File)] is var proof ? image with { Verified = proof.Proof, Unproven = proof.Unproven } : image)]);

        // Documents of earlier versions don't say of which disk an image is: it stands for itself.
        ProofCandidate OfShelf(ManifestImage image) => new(PathOf(image.File), ImageFormats.Named(image.Format), image.DiskContent.Length > 0 ? image.DiskContent : image.File, image.Verified);
    }

    /// <summary>Proves images as a spec asks.</summary>
    /// <param name="wanted">Those that lack a proof.</param>
    /// <param name="proven">Others that have one.</param>
    /// <param name="expected">The proof.</param>
    /// <param name="accelerator">What runs the guests.</param>
    /// <param name="folder">A private folder for overlays and logs.</param>
    /// <returns>The proof of each image that was wanted, by its path.</returns>
    /// <exception cref="CrustException">One has failed to boot; its serial log is in the images folder then. Or one holds another disk than it should.</exception>
    private async Task<ImmutableDictionary<string, ImageProof>> ProveAsync(
        IReadOnlyCollection<ProofCandidate> wanted, IReadOnlyCollection<ProofCandidate> proven, ExpectedProof expected, Accelerator accelerator, DraftFolder folder, CancellationToken cancellation)
    {
        var proofs = ImmutableDictionary.CreateBuilder<string, ImageProof>();
        foreach (var disk in wanted.GroupBy(image => image.Content))
        {
            ImmutableArray<ProofCandidate> known = [.. proven.Where(image => image.Content == disk.Key)];
            // The cheapest to read, and to boot: it is read once for each other one.
            var witness = known.Concat(disk).MinBy(image => (ProofPlan.Cost(image.Format), image.Proof is null))!;
            var boots = await BootAsync(witness, disk, known, expected, accelerator, folder, cancellation);
            ControllerNote.Write(disk.Where(image => boots[expected.BusOf(image.Format)].Proof.Proof is not null).Select(image => (image.File, image.Format, expected.BusOf(image.Format))), observer);
            foreach (var image in disk)
            {
                if (image != witness)
                {
                    await CompareAsync(image, witness, folder, cancellation);
                }

                var proof = Of(image, boots[expected.BusOf(image.Format)]);
                if (proof.Unproven is not { SameAs: null })
                {
                    // What is beside it now is of an earlier boot.
                    RunFiles.Draft(folder.Path, PathOf(image.File)).DropAll();
                }

                proofs[image.Path] = proof;
            }
        }

        return proofs.ToImmutable();
    }

    // One proof for each bus: one that is known, or a boot.
    private async Task<Dictionary<DiskBus, (ProofCandidate Image, ImageProof Proof)>> BootAsync(
        ProofCandidate witness, IEnumerable<ProofCandidate> wanted, ImmutableArray<ProofCandidate> known,
        ExpectedProof expected, Accelerator accelerator, DraftFolder folder, CancellationToken cancellation)
    {
        var boots = new Dictionary<DiskBus, (ProofCandidate, ImageProof)>();
        foreach (var images in wanted.GroupBy(image => expected.BusOf(image.Format)))
        {
            if (known.FirstOrDefault(image => expected.BusOf(image.Format) == images.Key) is { } proven)
            {
                boots[images.Key] = (proven, new ImageProof(proven.Proof, null));
                continue;
            }

            var request = new BootRequest(witness.Path, witness.Format, expected.Machine with { DiskBus = images.Key }, accelerator, expected.Verify,
                RunFiles.Draft(folder.Path, PathOf(witness.File)), expected.Login)
            {
                For = images.Contains(witness) ? null : images.First().File,
            };
            boots[images.Key] = (witness, await BootAsync(request, folder, cancellation));
        }

        return boots;
    }

    private async Task<ImageProof> BootAsync(BootRequest request, DraftFolder folder, CancellationToken cancellation)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(folder.Path, "booted")).FullName;
        try
        {
            var verdict = await verifier.VerifyAsync(request, scratch, cancellation);
            if (verdict.Unproven is { } unproven)
            {
                request.Files.KeepAll();
                observer.Observe(new BuildEvent.Warned($"{unproven.What}: nobody knows whether it boots; {unproven.Where}{Quote(unproven.LastLines)}"));
            }

            return new ImageProof(verdict.Proof?.ToManifest(), verdict.Unproven?.ToManifest());
        }
        catch (CrustException e)
        {
            request.Files.KeepAll();
            e.Add(request.Files);
            throw;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private async Task CompareAsync(ProofCandidate image, ProofCandidate witness, DraftFolder folder, CancellationToken cancellation)
    {
        var scratch = Directory.CreateDirectory(Path.Combine(folder.Path, "compared")).FullName;
        try
        {
            var one = await ForeignImage.OpenAsync(witness.Path, witness.Format, scratch, tools, cancellation);
            var other = await ForeignImage.OpenAsync(image.Path, image.Format, scratch, tools, cancellation);
            if (!await ContentComparison.AreSameAsync(one, other, tools, Report, cancellation))
            {
                throw new CrustException(FailureKind.InputOutput, $"The image {image.File} doesn't hold the same disk as {witness.File}, which was made of the same", image.Path,
                    "build again; if they still differ, a drive or the memory of this host is failing, or this is a bug in Crust");
            }
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }

        void Report(double fraction) => observer.Observe(new BuildEvent.Progressed(Stage.Verify, image.File, fraction, $"compared with {witness.File}"));
    }

    // What was seen of the image that was booted holds for this one, too.
    private static ImageProof Of(ProofCandidate image, (ProofCandidate Image, ImageProof Proof) boot)
    {
        var same = boot.Image == image ? null : boot.Proof.Proof?.SameAs ?? boot.Image.File;
        return new ImageProof(
            boot.Proof.Proof is { } proof ? proof with { SameAs = same, UnprovenController = image.Format.Controller } : null,
            boot.Proof.Unproven is { } unproven ? unproven with { SameAs = same } : null);
    }

    private static string Quote(ImmutableArray<string> lines) => lines.IsEmpty ? "; it said nothing" : $"; its last lines: {string.Join(" ⏎ ", lines.TakeLast(3))}";

    private string PathOf(string file) => Path.Combine(folders.Images, file);
}
