using Crust.Trees;

namespace Crust.Providers;

/// <summary>
/// Trees as layers of an image (OCI Image Format Specification 1.1, "Image Layer Filesystem Changeset"). A layer that names a folder replaces a link of the base and
/// the folder's own
/// mode and owner: `bin/tool` would take a merged /usr apart, `tmp/x` would close /tmp. So paths go where the base's links lead, and the base's folders stay what
/// they are.
/// </summary>
internal static class PlacedLayer
{
    /// <summary>
    /// What a layer has of a tree; depends on the base alone, so that the same files over the same base are the same layer, whatever else an image has.
    /// </summary>
    /// <param name="tree">Its paths as a user gave them.</param>
    /// <param name="below">The base's root.</param>
    /// <exception cref="InvalidDataException">A path goes through a file, or a link that leads nowhere.</exception>
    public static FileTree Of(FileTree tree, FileTree below)
    {
        var merged = tree.Over(below);
        var placed = new SortedDictionary<string, TreeEntry>(StringComparer.Ordinal);
        foreach (var entry in merged.Entries)
        {
            var there = below.Find(entry.Path);
            if (ReferenceEquals(entry, there) || (entry.Kind is EntryKind.Folder && there?.Kind is EntryKind.Folder))
            {
                continue;
            }

            if (entry.Kind is EntryKind.Folder && there is not null)
            {
                throw new InvalidDataException($"/{entry.Path} is a folder in it, and none in the base");
            }

            // Unpackers make folders that a layer doesn't name with a mode of their own choice.
            for (var slash = entry.Path.IndexOf('/', StringComparison.Ordinal); slash > 0; slash = entry.Path.IndexOf('/', slash + 1))
            {
                var above = entry.Path[..slash];
                placed[above] = below.Find(above) is { Kind: EntryKind.Folder } folder ? folder : merged.Find(above)!;
            }

            placed[entry.Path] = entry;
        }

        return FileTree.Empty.With(placed.Values);
    }

    /// <summary>Whether what a layer has stays where it was placed when the layers below it are there, too.</summary>
    /// <param name="below">The base with the layers below.</param>
    /// <returns>A path that would go somewhere else: an earlier layer has made a link there; null if all stays.</returns>
    public static string? FindMoved(FileTree layer, FileTree below) =>
        layer.Entries.FirstOrDefault(entry => entry.Kind is EntryKind.Folder && below.Find(entry.Path) is { Kind: not EntryKind.Folder })?.Path;
}
