using Crust.Attestation;
using Crust.Images;
using Crust.Reports;
using Crust.Verification;

namespace Crust.Tests.Images;

/// <summary>What a build does with finished images, in one call.</summary>
internal static class ImagesFolderFilling
{
    public static async Task<Manifest> PlaceAsync(
        this ImagesFolder folder, Manifest manifest, IReadOnlyCollection<ProvenImage> images, Func<Manifest, Task<Attestations>> attest, CancellationToken cancellation)
    {
        using var placement = await folder.PrepareAsync(manifest, images, cancellation);
        return placement.Finish(await attest(placement.Manifest));
    }
}
