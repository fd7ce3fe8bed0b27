using System.Collections.Immutable;
using Crust.Attestation;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
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
    public CrustException? Failure { get; init; }
}

/// <summary>Where images come from: from a registry that has them of the same build, or they are written, from an installed disk.</summary>
public sealed class ImageSource(DiskSource disks, ImageWriter writer)
{
    /// <summary>All images that a build lacks. None is of another disk than the others.</summary>
    /// <param name="order">What is wanted.</param>
    /// <param name="drafts">Where they get ready.</param>
    /// <param name="known">Told of the disk as soon as it is known.</param>
    /// <param name="stages">Tells how it goes.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="CrustException">Anything that a user can cause or cure.</exception>
    internal async Task<MadeImages> GetAsync(DiskOrder order, DraftFolder drafts, Action<DiskFacts> known, StageRunner stages, CancellationToken cancellation)
    {
        var wanted = order.Plan.ToWrite;
        // From a disk that is here, images are made sooner than they are pulled.
        var offers = disks.IsHere(order.LocalKey) ? [] : await order.Finished.FindAsync(order.Build, wanted, format => writer.RecipeOf(format, order.Spec), stages, cancellation);
        if (FinishedImage.DiskOf(offers, wanted, order.Build, order.Folder) is { } told
            && await FinishedImages.PullAsync(offers, withSbom: true, drafts, stages, cancellation) is { } all && all.Images.Length == wanted.Length)
        {
            known(told);
            return new MadeImages(told, all.Images, all.Sbom, null);
        }

        var disk = await stages.RunAsync(Stage.Install, $"{Path.GetFileName(order.Installer.Path)} on a disk of {Size.Format(order.Spec.Machine.Disk)}",
            () => disks.GetAsync(order, stages, cancellation),
            installed => installed.FromCache ? "from the cache; the installer wasn't booted" : $"{Size.Format(installed.Allocated)} on the disk");
        disk = await disks.InspectAsync(disk, order, stages, cancellation);
        known(disk.Facts);
        // An installer needn't leave the same twice: only images of this very disk go with those that are made of it.
        var reused = (await FinishedImages.PullAsync([.. offers.Where(offer => offer.Image.DiskContent == disk.Content)], withSbom: false, drafts, stages, cancellation))?.Images ?? [];
        ImmutableArray<IImageFormat> rest = [.. wanted.Where(format => reused.All(image => image.Format != format))];
        var (written, failure) = rest.IsEmpty ? ([], null) : await WriteAsync();
        ImmutableArray<DraftImage> images = [.. wanted.SelectMany(format => reused.Concat(written).Where(image => image.Format == format))];
        return new MadeImages(disk.Facts, images, SpdxDocument.Write(disk.Install.Inspection, disk.Content, disk.Install.Finished), disk) { Failure = failure };

        async Task<(ImmutableArray<DraftImage> Images, CrustException? Failure)> WriteAsync()
        {
            try
            {
                return (await stages.RunAsync(Stage.Formats, string.Join(", ", rest.Select(format => format.Name)),
                    () => writer.WriteAsync(disk, rest, order.Name, order.Spec, drafts, cancellation),
                    done => string.Join(", ", done.Select(image => $"{image.Format.Name} {Size.Format(image.Size)}"))), null);
            }
            catch (CrustException e) when (e.Find<FinishedDrafts>() is not null || !reused.IsEmpty)
            {
                // One format's failure takes no other with it.
                return (e.Find<FinishedDrafts>()?.Images ?? [], e);
            }
        }
    }
}
