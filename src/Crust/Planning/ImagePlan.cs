using System.Collections.Immutable;
using Crust.Formats;
using Crust.Reports;
using Crust.Storage;
using Crust.Verification;

namespace Crust.Planning;

/// <summary>What is left to do for the images that a spec asks for.</summary>
/// <param name="ToWrite">Formats whose image is missing, touched, or of another build key or recipe.</param>
/// <param name="ToProve">Images that are current but weren't proven to boot as the spec asks.</param>
internal sealed record ImagePlan(ImmutableArray<IImageFormat> ToWrite, ImmutableArray<ManifestImage> ToProve)
{
    /// <summary>Whether nothing is left to do.</summary>
    public bool IsUpToDate => ToWrite.IsEmpty && ToProve.IsEmpty;

    /// <summary>
    /// Whether the bytes of an image are those that this host would write: another version of a library compresses differently. An image from a registry stays what it is there,
    /// the same on all hosts.
    /// </summary>
    public static bool IsOfLibrary(ManifestImage image, string? library) => image.Library == library || image.ReusedFrom is not null;

    /// <summary>The plan of a build.</summary>
    /// <param name="target">What it is about. Where its keys aren't known, all images are to be written.</param>
    /// <param name="intact">The images of that name that are there, untouched.</param>
    /// <param name="writer">Knows what decides an image beside its disk.</param>
    /// <param name="isMade">Whether another machine may have made the images: whose secrets this one can't tell apart, it takes for the right ones.</param>
    public static ImagePlan For(BuildTarget target, IReadOnlyCollection<ManifestImage> intact, ImageWriter writer, bool isMade = false)
    {
        var (spec, mark) = (target.Spec, target.Keys?.Mark);
        return For(spec.Formats, target.Key is null ? [] : intact, target.Key ?? "", format => writer.RecipeOf(format, spec), target.Proof, (format, image) => isMade
            ? image.SecretsMark == mark || !BuildKeys.AreOfOneMachine(image.SecretsMark, mark)
            : image.SecretsMark == mark && IsOfLibrary(image, ImageWriter.LibraryOf(format, spec)));
    }

    internal static ImagePlan For(
        IEnumerable<string> formats, IReadOnlyCollection<ManifestImage> intact, string buildKey, Func<IImageFormat, string> recipeOf, ExpectedProof? proof, Func<IImageFormat, ManifestImage, bool>? isUsable = null)
    {
        var toWrite = ImmutableArray.CreateBuilder<IImageFormat>();
        var toProve = ImmutableArray.CreateBuilder<ManifestImage>();
        foreach (var format in formats.Select(ImageFormats.Named))
        {
            var image = intact.FirstOrDefault(image => image.Format == format.Name && image.BuildKey == buildKey && (isUsable?.Invoke(format, image) ?? true) && image.Recipe == recipeOf(format));
            if (image is null)
            {
                toWrite.Add(format);
            }
            else if (proof is not null && format.QemuDriver is not null && !proof.IsGivenBy(image.Verified))
            {
                toProve.Add(image);
            }
        }

        return new(toWrite.ToImmutable(), toProve.ToImmutable());
    }
}
