using System.Collections.Immutable;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>How much room a tree takes, by the places at which a system may have file systems of their own (is_place in builder/appliance/volumes.sh, and what the job mounts beside).</summary>
internal static class TreeSpace
{
    private const long Block = 4096;

    private static readonly ImmutableArray<string> Places =
        ["/boot", "/home", "/opt", "/root", "/srv", "/tmp", "/usr", "/usr/local", "/var", "/var/cache", "/var/lib", "/var/log", "/var/tmp", "/boot/efi", "/boot/firmware", "/efi", "/oem"];

    /// <summary>As the job reads it: `/ 8192,/usr 12288`.</summary>
    public static string Of(FileTree tree) => string.Join(',', tree.Entries.GroupBy(entry => PlaceOf("/" + entry.Path), RoomOf).OrderBy(place => place.Key, StringComparer.Ordinal)
        .Select(place => $"{place.Key} {place.Sum()}"));

    private static string PlaceOf(string path) => Places.Where(place => path.StartsWith(place + "/", StringComparison.Ordinal)).MaxBy(place => place.Length) ?? "/";

    // A file takes whole blocks; what describes it, a part of one.
    private static long RoomOf(TreeEntry entry) => (entry.Content.Length + Block - 1) / Block * Block + (entry.Kind is EntryKind.Folder ? Block : Block / 8);
}
