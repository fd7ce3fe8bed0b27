using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Crust.Attestation;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Planning;
using Crust.Registries.Sharing;
using Crust.Spec;
using Crust.Storage;

namespace Crust;

/// <summary>The images of a build, before they are proven.</summary>
/// <param name="Disk">What is known of the disk that they are of.</param>
/// <param name="Images">Those that weren't there, in the order in which they were asked for.</param>
/// <param name="Sbom">The list of the packages on the disk; null if nobody knows them.</param>
/// <param name="Installed">The disk itself; null if no image needed it.</param>
internal sealed record MadeImages(DiskFacts Disk, ImmutableArray<DraftImage> Images, string? Sbom, InstalledDisk? Installed)
{
    /// <summary>Why others that were asked for aren't among them; null if none is missing.</summary>
    public CrustException? Failure { private get; init; }

    /// <summary>The warning that images are missing; null if none is.</summary>
    public string? Warning => Failure is null ? null : $"only a part of the images could be written: {string.Join(", ", Images.Select(image => image.Format.Name))}";

    /// <summary>Fails the build for the missing images, once those that were made are in their place.</summary>
    /// <exception cref="CrustException">The failure of the first format that failed.</exception>
    public void ThrowIfIncomplete()
    {
        if (Failure is not null)
        {
            ExceptionDispatchInfo.Throw(Failure);
        }
    }
}

/// <summary>Gets images ready: pulled from a registry that has them of the same build, or written from the installed disk.</summary>
internal sealed class ImageStage(ImageWriter writer)
{
    /// <summary>Pulls all wanted images, if a registry has all of them and they are of one disk.</summary>
    /// <returns>Null if it hasn't: then the disk is needed.</returns>
    internal static async Task<MadeImages?> PullAsync(
        ImmutableArray<FinishedImage> offers, SharedBuild build, ImmutableArray<IImageFormat> wanted, DraftFolder drafts, StageRunner stages, CancellationToken cancellation) =>
        FinishedImage.DiskOf(offers, wanted, build, drafts.Path) is { } disk
        && await FinishedImages.PullAsync(offers, withSbom: true, drafts, stages, cancellation) is { } all && all.Images.Length == wanted.Length
            ? new MadeImages(disk, all.Images, all.Sbom, null) : null;

    /// <summary>Writes the wanted images of a disk, but for those that a registry offers of this very disk, which are pulled.</summary>
    /// <exception cref="CrustException">A format failed, and none was finished. One format's failure takes no other with it: <see cref="MadeImages.Failure"/>.</exception>
    internal async Task<MadeImages> WriteAsync(
        InstalledDisk disk, ImmutableArray<FinishedImage> offers, BuildTarget target, ImmutableArray<IImageFormat> wanted, DraftFolder drafts, StageRunner stages, CancellationToken cancellation)
    {
        // An installer needn't leave the same twice: only images of this very disk go with those that are made of it.
        var reused = (await FinishedImages.PullAsync([.. offers.Where(offer => offer.Image.DiskContent == disk.Content)], withSbom: false, drafts, stages, cancellation))?.Images ?? [];
        ImmutableArray<IImageFormat> rest = [.. wanted.Where(format => reused.All(image => image.Format != format))];
        ImmutableArray<DraftImage> written = [];
        CrustException? failure = null;
        if (!rest.IsEmpty)
        {
            try
            {
                var writing = stages.Begin(Stage.Formats, string.Join(", ", rest.Select(format => format.Name)));
                written = await writer.WriteAsync(disk, rest, target.Name, target.Spec, drafts, cancellation);
                writing.End(string.Join(", ", written.Select(image => $"{image.Format.Name} {Size.Format(image.Size)}")));
            }
            catch (CrustException e) when (e.Find<FinishedDrafts>() is not null || !reused.IsEmpty)
            {
                (written, failure) = (e.Find<FinishedDrafts>()?.Images ?? [], e);
            }
            catch (CrustException e)
            {
                // The report says how the disk was installed, also where no image of it could be written.
                e.Add(disk.Facts);
                throw;
            }
        }

        ImmutableArray<DraftImage> images = [.. wanted.SelectMany(format => reused.Concat(written).Where(image => image.Format == format))];
        return new MadeImages(disk.Facts, images, SpdxDocument.Write(disk.Install.Inspection, disk.Content, disk.Install.Finished, disk.Install.Layers), disk) { Failure = failure };
    }
}
