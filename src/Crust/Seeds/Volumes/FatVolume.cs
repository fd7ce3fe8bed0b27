using System.Collections.Immutable;
using System.Globalization;
using Crust.Isos;
using Crust.Tools;

namespace Crust.Seeds.Volumes;

/// <summary>The commands that write a FAT volume without partitions, by mtools. Which FAT it is follows from its size.</summary>
internal static class FatVolume
{
    public const long LargestFile = uint.MaxValue;

    public static ImmutableArray<string> Programs { get; } = ["mformat", "mmd", "mcopy"];

    private const int SectorSize = 512;
    private const long MiB = 1 << 20;

    // The largest that mformat makes.
    private const long Cluster = 32 << 10;

    private const int DirectoryEntry = 32;
    private const int UsualRootSectors = 32;

    // A name takes an entry for the short name, and one for each 13 characters of its own.
    private const int CharactersPerEntry = 13;

    // The volume's own size is its file's: mtools needn't doubt it.
    private static readonly ImmutableDictionary<string, string> Environment = ImmutableDictionary<string, string>.Empty.Add("MTOOLS_SKIP_CHECK", "1");

    /// <summary>A size in bytes that has room for the files, their folders and the volume's own tables.</summary>
    public static long SizeFor(ImmutableArray<VolumeFile> files)
    {
        var data = files.Sum(file => InClusters(new FileInfo(file.OnHost).Length)) + (FoldersOf(files).Length * 2 * Cluster);
        // A FAT takes 4 bytes for a cluster of 4 KiB or more, or 2 for 1 KiB or more, and there are two.
        return ((data + (data / 100)) / MiB + 2) * MiB;
    }

    /// <summary>The commands, in their order.</summary>
    /// <param name="label">The volume's label, at most 11 characters; FAT has it in capitals.</param>
    /// <param name="files">What is put on it, with names that FAT can hold.</param>
    /// <param name="volume">An existing file of <paramref name="size"/> bytes.</param>
    /// <param name="size">A multiple of 512.</param>
    public static ImmutableArray<ToolCommand> Commands(string label, ImmutableArray<VolumeFile> files, string volume, long size)
    {
        var folders = FoldersOf(files);
        return
        [
            Mtool("mformat", "-i", volume, "-T", (size / SectorSize).ToString(CultureInfo.InvariantCulture), "-v", label.ToUpperInvariant(),
                "-r", RootSectors(files).ToString(CultureInfo.InvariantCulture), "::"),
            .. folders.IsEmpty ? [] : new[] { Mtool("mmd", ["-i", volume, .. folders.Select(folder => $"::/{folder}")]) },
            .. files.Select(file => Mtool("mcopy", "-i", volume, file.OnHost, $"::/{file.Name}")),
        ];
    }

    private static ToolCommand Mtool(string program, params string[] arguments) => new() { Program = program, Arguments = [.. arguments], Environment = Environment };

    // Each before those below it.
    private static ImmutableArray<string> FoldersOf(ImmutableArray<VolumeFile> files) =>
        [.. files.SelectMany(file => ParentsOf(file.Name)).Distinct(StringComparer.OrdinalIgnoreCase).OrderBy(folder => folder.Length)];

    private static IEnumerable<string> ParentsOf(string name)
    {
        for (var slash = name.IndexOf('/'); slash > 0; slash = name.IndexOf('/', slash + 1))
            yield return name[..slash];
    }

    // The root folder of a FAT12 or FAT16 doesn't grow.
    private static int RootSectors(ImmutableArray<VolumeFile> files)
    {
        var entries = 1 + files.Select(file => file.Name.Split('/')[0]).Distinct(StringComparer.OrdinalIgnoreCase).Sum(name => 1 + ((name.Length + CharactersPerEntry) / CharactersPerEntry));
        return Math.Max(UsualRootSectors, (entries * DirectoryEntry + SectorSize - 1) / SectorSize);
    }

    private static long InClusters(long bytes) => (bytes + Cluster - 1) / Cluster * Cluster;
}
