using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Content;

/// <summary>
/// How large a target has to be for a system and the content that travels with it: what an installer checks before it writes anything. Kairos' installer checks nothing, and fails when the disk is
/// full (kairos-io/kairos#4230). The sizes are those of its partitions (kairos-agent, pkg/config/spec.go: COS_OEM, COS_RECOVERY, COS_STATE), and of CanvOS' COS_CONTENT for what is unpacked.
/// </summary>
internal static class TargetSize
{
    private const long MiB = 1 << 20;
    private const long Boot = 64 * MiB;
    private const long Oem = 64 * MiB;
    private const long RecoverySpare = 200 * MiB;
    private const long StateSpare = 1000 * MiB;
    private const long ContentSpare = 100 * MiB;

    // Both tables of a GPT, and partitions that start at a MiB.
    private const long Table = 4 * MiB;

    /// <summary>The bytes that a disk needs for a system alone.</summary>
    /// <param name="system">The length of the system's image.</param>
    public static long OfSystem(long system) => checked(Table + Boot + Oem + (2 * system) + RecoverySpare + (3 * system) + StateSpare);

    /// <summary>The bytes that a disk needs.</summary>
    /// <param name="system">The length of the system's image; 0 where the target is a partition or a folder for content alone.</param>
    /// <param name="isUnpacked">Whether the target also holds what comes of the parts, as an agent that imports images leaves it.</param>
    public static long Of(long system, IEnumerable<ContentManifest> bundles, bool isUnpacked) => checked((system == 0 ? 0 : OfSystem(system)) + OfContent(bundles, isUnpacked));

    /// <summary>The bytes that content alone needs, with a file system's own.</summary>
    public static long OfContent(IEnumerable<ContentManifest> bundles, bool isUnpacked) => OfContent(bundles.Sum(bundle => bundle.Size + (isUnpacked ? bundle.Unpacked : 0)));

    /// <summary>The same of content of so many bytes.</summary>
    public static long OfContent(long bytes) => bytes > 0 ? checked((bytes * 6 / 5) + ContentSpare) : 0;

    /// <exception cref="CrustException">The target is too small.</exception>
    public static void Check(long target, long system, ImmutableArray<ContentManifest> bundles, bool isUnpacked)
    {
        var needed = Of(system, bundles, isUnpacked);
        if (needed > target)
        {
            throw new CrustException(FailureKind.BadInput, $"The target is too small: {Size.Format(needed)} are needed, it has {Size.Format(target)}",
                $"{(system > 0 ? $"a system of {Size.Format(system)}, " : "")}content of {Size.Format(bundles.Sum(bundle => bundle.Size))}"
                    + $" in {PartNames.Count(bundles.Sum(bundle => bundle.Parts.Length))}"
                    + (isUnpacked ? $", unpacked {Size.Format(bundles.Sum(bundle => bundle.Unpacked))}" : ""),
                $"choose a target with {Size.Format(needed - target)} more, or leave images out of the content");
        }
    }
}
