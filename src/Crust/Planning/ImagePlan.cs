using System.Collections.Immutable;
using Crust.Formats;
using Crust.Reports;
using Crust.Storage;

namespace Crust.Planning;

/// <summary>What is left to do for the images that a spec asks for.</summary>
/// <param name="ToWrite">Formats whose image is missing, touched, or of another build key or recipe.</param>
/// <param name="ToProve">Images that are current but weren't proven to boot as the spec asks.</param>
internal sealed record ImagePlan(ImmutableArray<IImageFormat> ToWrite, ImmutableArray<ManifestImage> ToProve)
{
    /// <summary>Images of the same build that are proven as the spec asks, also in formats that it doesn't ask for: they stand for others of the same disk.</summary>
    public ImmutableArray<ManifestImage> Proven { get; init; } = [];

    public bool IsUpToDate => ToWrite.IsEmpty && ToProve.IsEmpty;

    /// <param name="target">What it is about. Where its keys aren't known, all images are to be written.</param>
    /// <param name="intact">The images of that name that are there, untouched.</param>
    /// <param name="writer">Knows what decides an image beside its disk.</param>
    /// <param name="isMade">Whether another machine may have made the images: whose secrets this one can't tell apart, it takes for the right ones.</param>
    public static ImagePlan For(BuildTarget target, IReadOnlyCollection<ManifestImage> intact, ImageWriter writer, bool isMade = false)
    {
        var (spec, mark) = (target.Spec, target.Keys?.Mark);
        var toWrite = ImmutableArray.CreateBuilder<IImageFormat>();
        var toProve = ImmutableArray.CreateBuilder<ManifestImage>();
        foreach (var format in spec.Formats.Select(ImageFormats.Named))
        {
            var image = intact.FirstOrDefault(image => image.Format == format.Name && image.BuildKey == target.Key && IsUsable(format, image) && image.Recipe == writer.RecipeOf(format, spec));
            if (image is null)
            {
                toWrite.Add(format);
            }
            else if (target.Proof is { } proof && format.HoldsDisk && !proof.IsSettled(format, image.Verified, image.Unproven))
            {
                toProve.Add(image);
            }
        }

        return new(toWrite.ToImmutable(), toProve.ToImmutable())
        {
            Proven = [.. intact.Where(image => image.BuildKey == target.Key
                && ImageFormats.All.FirstOrDefault(format => format.Name == image.Format) is { } format && target.Proof?.IsGivenBy(format, image.Verified) is true)],
        };

        // Another version of a library compresses differently. An image from a registry stays what it is there, the same on all hosts.
        bool IsUsable(IImageFormat format, ManifestImage image) => isMade
            ? image.SecretsMark == mark || !BuildKeys.AreOfOneMachine(image.SecretsMark, mark)
            : image.SecretsMark == mark && (image.ReusedFrom is not null || image.Library == ImageWriter.LibraryOf(format, spec));
    }
}
