using System.Text;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

/// <summary>
/// Whether a document is small enough for its reader. Kairos' collector skips configs of more than a megabyte, counted in whole ones: of 2 MiB and more
/// (kairos-sdk, collector). cloud-init has no limit of its own for a NoCloud volume; those that people know are the clouds' (16 KiB in EC2).
/// </summary>
internal static class SizeRules
{
    public static readonly SeedRule TooLarge = new("too-large", SeedSeverity.Error, "A user-data of 2 MiB or more, which Kairos skips without a word",
        "a certificate bundle or a binary in write_files", "put large files into seed.files, a bundle or the image, and leave the user-data small")
    { WarnsOnly = "where it isn't known that Kairos reads it" };

    private const int KairosSkips = 2 << 20;

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (!request.MayBeKairos || request.Contents.Documents.FirstOrDefault(document => document.Tree is not null) is not { } userData
            || Encoding.UTF8.GetByteCount(userData.Text) is var size && size < KairosSkips)
            yield break;

        var place = request.Files.UserData.MaxBy(file => file.Size) is { } largest ? new Place(largest.Path, 1, 1) : request.Whole;
        var what = $"The user-data has {Spec.Size.Format(size)}, and Kairos skips configs of 2 MiB and more";
        yield return request.Profile is null ? TooLarge.Warn(place, what) : TooLarge.At(place, what);
    }
}
