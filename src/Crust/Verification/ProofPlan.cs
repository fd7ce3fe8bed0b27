using System.Collections.Immutable;
using Crust.Formats;
using Crust.Spec;

namespace Crust.Verification;

/// <summary>How images of one disk are proven, where none of them is yet.</summary>
/// <param name="Boots">What is booted, on what, and for which format: null for the image's own.</param>
/// <param name="Compared">The formats whose images are compared with the one that is booted.</param>
internal sealed record ProofPlan(ImmutableArray<(IImageFormat Format, DiskBus Bus, IImageFormat? For)> Boots, ImmutableArray<IImageFormat> Compared)
{
    /// <summary>The plan for some formats.</summary>
    public static ProofPlan Of(IEnumerable<IImageFormat> formats, ExpectedProof expected)
    {
        ImmutableArray<IImageFormat> disks = [.. formats.Where(format => format.HoldsDisk)];
        if (disks.IsEmpty)
        {
            return new ProofPlan([], []);
        }

        var witness = disks.MinBy(Cost)!;
        return new ProofPlan(
            [.. disks.GroupBy(expected.BusOf).Select(group => (witness, group.Key, group.Contains(witness) ? null : group.First()))],
            [.. disks.Where(format => format != witness)]);
    }

    /// <summary>What it costs to read an image of that format again and again, and to boot it: the least is taken.</summary>
    public static int Cost(IImageFormat format) => format.QemuDriver is null ? 2 : format.NeedsOf(new BuildSpec()).IsUnpackedToBoot ? 1 : 0;
}
