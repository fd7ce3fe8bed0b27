using System.Collections.Immutable;
using System.Globalization;
using Crust.Appliance;
using Crust.Seeds;
using Crust.Seeds.Volumes;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Fleet;

/// <summary>Writes a node's seed as a volume of its own, or as the content of a partition. The same seed makes the same bytes.</summary>
/// <param name="tools">Runs xorriso, for ISOs.</param>
internal sealed class NodeVolume(ToolBox tools)
{
    // Whoever makes a machine of it attaches it as a disk; some platforms take none that is smaller.
    private const long SmallestVolume = 1 << 20;

    /// <summary>The seed as a FAT that fills so many bytes.</summary>
    /// <exception cref="CrustException">It doesn't fit.</exception>
    public static byte[] Fat(NodeSeed seed, Node node, long size) => FatImage.Of(NodeSeed.Label, seed.Files, size)
        ?? throw new CrustException(FailureKind.BadInput, $"The seed of {node.Name} doesn't fit into {Size.Format(size)}", node.Where,
            "shorten the user-data, or build the base anew with a larger base.seedPartition");

    /// <summary>The seed as a FAT of its own.</summary>
    public static byte[] Fat(NodeSeed seed, Node node)
    {
        for (var size = SmallestVolume; ; size *= 2)
        {
            if (size >= FatImage.Largest || FatImage.Of(NodeSeed.Label, seed.Files, size) is not null)
            {
                return Fat(seed, node, size);
            }
        }
    }

    /// <summary>The seed as an ISO 9660 volume.</summary>
    /// <param name="folder">A folder that only this user can enter, for this call alone.</param>
    /// <exception cref="ToolMissingException">xorriso isn't installed.</exception>
    /// <exception cref="IOException">The folder can't be written.</exception>
    public async Task WriteIsoAsync(NodeSeed seed, string path, string folder, CancellationToken cancellation)
    {
        using var staged = StagedDocuments.Write(seed.Documents, folder);
        var time = DateTimeOffset.FromUnixTimeSeconds(Mmdebstrap.Epoch).UtcDateTime;
        foreach (var file in staged.Files)
        {
            File.SetLastWriteTimeUtc(file.OnHost, time);
        }

        await tools.RunAsync(Xorriso.Of(SeedVolume.Arguments(NodeSeed.Label, staged.Files, path)) with
        {
            Environment = ImmutableDictionary<string, string>.Empty.Add("SOURCE_DATE_EPOCH", Mmdebstrap.Epoch.ToString(CultureInfo.InvariantCulture)),
        }, cancellation);
    }
}
