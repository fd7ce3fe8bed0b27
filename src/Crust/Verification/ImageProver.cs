using System.Collections.Immutable;
using Crust.Formats;
using Crust.Machines;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Verification;

/// <summary>An image that is whole, and proven to boot if that was asked for.</summary>
/// <param name="Proof">How it was proven; null if that wasn't asked for.</param>
internal sealed record ProvenImage(DraftImage Draft, BootProof? Proof);

/// <summary>What came of proving the images of a build.</summary>
/// <param name="Fresh">Images that were written just now.</param>
/// <param name="Known">Images of earlier builds that are current and have been proven now.</param>
internal sealed record Proofs(ImmutableArray<ProvenImage> Fresh, ImmutableArray<ManifestImage> Known)
{
    /// <summary>No proof was asked for.</summary>
    public static Proofs None(IEnumerable<DraftImage> images) => new([.. images.Select(image => new ProvenImage(image, null))], []);

    /// <summary>The proofs in a few words.</summary>
    public string Describe() => string.Join(", ", Fresh.Select(image => (image.Draft.Format.Name, image.Proof?.Seconds))
        .Concat(Known.Select(image => (Name: image.Format, image.Verified?.Seconds)))
        .Where(row => row.Seconds is not null)
        .Select(row => $"{row.Name} is up after {row.Seconds:0} s"));
}

/// <summary>Boots the images of a build, one after the other: each machine uses the cores that there are.</summary>
internal sealed class ImageProver(BootVerifier verifier, Folders folders)
{
    /// <exception cref="CrustException">An image didn't come up. Its serial log is in the images folder then.</exception>
    internal async Task<Proofs> ProveAsync(
        IEnumerable<DraftImage> drafts, IEnumerable<ManifestImage> known, BuildSpec spec, ExpectedProof expected, Accelerator accelerator, DraftFolder folder, CancellationToken cancellation)
    {
        var fresh = ImmutableArray.CreateBuilder<ProvenImage>();
        foreach (var draft in drafts)
        {
            // What another machine has proven needs no second proof.
            if (expected.IsGivenBy(draft.Reused?.Verified))
            {
                fresh.Add(new ProvenImage(draft, null));
                continue;
            }

            fresh.Add(new ProvenImage(draft, draft.Format.QemuDriver is not null ? await BootAsync(draft.Path, draft.Format) : null));
        }

        var again = ImmutableArray.CreateBuilder<ManifestImage>();
        foreach (var image in known)
        {
            again.Add(image with { Verified = (await BootAsync(PathOf(image.File), ImageFormats.Named(image.Format))).ToManifest() });
        }

        return new Proofs(fresh.ToImmutable(), again.ToImmutable());

        async Task<BootProof> BootAsync(string image, IImageFormat format)
        {
            var files = RunFiles.Draft(folder.Path, PathOf(Path.GetFileName(image)));
            try
            {
                return await verifier.VerifyAsync(new BootRequest(image, format, spec.Machine, accelerator, expected.Verify, files, expected.Login), folder.Path, cancellation);
            }
            catch (CrustException e)
            {
                files.KeepAll();
                e.Add(files);
                throw;
            }
        }
    }

    private string PathOf(string file) => Path.Combine(folders.Images, file);
}
