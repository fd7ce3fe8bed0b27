using Crust.Attestation;
using Crust.Reports;
using Crust.Storage;
using Crust.Verification;

namespace Crust.Images;

/// <summary>Images that are about to get their final names. The folder is locked until this is disposed of.</summary>
internal sealed class ImagePlacement(ImagesFolder folder, IReadOnlyCollection<ProvenImage> images, DraftFolder drafts, FileLock held) : IDisposable
{
    /// <summary>The manifest as it will be, but for what attests the images.</summary>
    public required Manifest Manifest { get; init; }

    /// <summary>Gives all files their final names and writes manifest and checksums.</summary>
    /// <returns>The manifest as it was written.</returns>
    /// <exception cref="CrustException">The folder can't be written.</exception>
    public Manifest Finish(Attestations attestations) => folder.Place(Manifest, images, attestations, drafts);

    public void Dispose()
    {
        held.Dispose();
        drafts.Dispose();
    }
}
