using System.Collections.Immutable;
using Crust.Formats;
using Crust.Reports;

namespace Crust.Verification;

/// <summary>An image that is whole, and what is known of how it boots.</summary>
/// <param name="Draft">The image.</param>
/// <param name="Proof">How it was proven; null if it wasn't.</param>
internal sealed record ProvenImage(DraftImage Draft, ManifestProof? Proof)
{
    /// <summary>What came of a boot that showed nothing either way; null if there was none.</summary>
    public ManifestUnproven? Unproven { get; init; }
}

/// <summary>What came of proving the images of a build.</summary>
/// <param name="Fresh">Images that were written just now.</param>
/// <param name="Known">Images of earlier builds that are current and have been looked at now.</param>
internal sealed record Proofs(ImmutableArray<ProvenImage> Fresh, ImmutableArray<ManifestImage> Known)
{
    /// <summary>No proof was asked for.</summary>
    public static Proofs None(IEnumerable<DraftImage> images) => new([.. images.Select(image => new ProvenImage(image, null))], []);

    /// <summary>The proofs in a few words: `img is up after 52 s; qcow2 and vmdk hold the same`.</summary>
    public string Describe()
    {
        ImmutableArray<(string Name, ManifestProof? Proof, ManifestUnproven? Unproven)> rows =
            [.. Fresh.Select(image => (image.Draft.Format.Name, image.Proof, image.Unproven)), .. Known.Select(image => (image.Format, image.Verified, image.Unproven))];
        var booted = rows.Where(row => row.Proof is { SameAs: null }).Select(row => $"{row.Name} is up after {row.Proof!.Seconds:0} s");
        var same = rows.Where(row => row.Proof is { SameAs: not null }).GroupBy(row => row.Proof!.SameAs)
            .Select(group => $"{string.Join(", ", group.Select(row => row.Name))} hold{(group.Count() == 1 ? "s" : "")} what {group.Key} holds, which was booted");
        var unproven = rows.Where(row => row.Proof is null && row.Unproven is not null).Select(row => row.Name).ToList();
        return string.Join("; ", [.. booted, .. same, .. unproven.Count == 0 ? [] : new[] { $"unproven: {string.Join(", ", unproven)}" }]);
    }
}
