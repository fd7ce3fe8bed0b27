namespace Crust.Trees;

/// <summary>What has to be put over one tree so that it becomes another, as a layer of an image (OCI Image Format Specification 1.1, "Image Layer Filesystem Changeset").</summary>
internal static class TreeChanges
{
    private const string Hides = ".wh.";
    private const int Piece = 1 << 20;

    /// <summary>The entries that are new or different, the folders above them, and for what is gone a whiteout.</summary>
    /// <param name="ignored">Folders whose content isn't compared: what is in them stays as it was.</param>
    /// <exception cref="IOException">A file can't be read.</exception>
    public static FileTree Between(FileTree before, FileTree after, params ReadOnlySpan<string> ignored)
    {
        var tops = ignored.ToArray();
        var changed = new SortedDictionary<string, TreeEntry>(StringComparer.Ordinal);
        foreach (var entry in after.Entries.Where(entry => !IsIn(entry.Path, tops) && (before.Find(entry.Path) is not { } old || !IsSame(old, entry))))
        {
            Add(entry);
        }

        var hidden = "";
        foreach (var entry in before.Entries.Where(entry => !IsIn(entry.Path, tops) && after.Find(entry.Path) is null))
        {
            // What was in a folder that is gone, or is something else now, went with it.
            if ((hidden.Length == 0 || !entry.Path.StartsWith(hidden, StringComparison.Ordinal)) && FolderOf(entry.Path) is var above
                && (above.Length == 0 || after.Find(above) is { Kind: EntryKind.Folder }))
            {
                hidden = entry.Path + "/";
                Add(TreeEntry.File(above.Length == 0 ? Hides + entry.Name : $"{above}/{Hides}{entry.Name}", TreeContent.Empty));
            }
        }

        return FileTree.Empty.With(changed.Values);

        // Unpackers make folders that a layer doesn't name with a mode of their own choice.
        void Add(TreeEntry entry)
        {
            for (var folder = FolderOf(entry.Path); folder.Length > 0 && !changed.ContainsKey(folder); folder = FolderOf(folder))
            {
                changed[folder] = after.Find(folder)!;
            }

            changed[entry.Path] = entry;
        }
    }

    private static bool IsIn(string path, string[] tops) => tops.Any(top => path.Length > top.Length && path[top.Length] == '/' && path.StartsWith(top, StringComparison.Ordinal));

    private static string FolderOf(string path) => path.LastIndexOf('/') is >= 0 and var slash ? path[..slash] : "";

    // A symbolic link's mode means nothing, and each program that packs one writes another.
    private static bool IsSame(TreeEntry one, TreeEntry other) =>
        (one.Kind, one.Uid, one.Gid, one.LinkTarget, one.Device) == (other.Kind, other.Uid, other.Gid, other.LinkTarget, other.Device)
        && (one.Mode == other.Mode || one.Kind is EntryKind.Symlink)
        && one.Xattrs.Count == other.Xattrs.Count && one.Xattrs.All(pair => other.Xattrs.TryGetValue(pair.Key, out var value) && pair.Value.AsSpan().SequenceEqual(value.AsSpan()))
        && IsSame(one.Content, other.Content);

    private static bool IsSame(TreeContent one, TreeContent other)
    {
        if (ReferenceEquals(one, other))
        {
            return true;
        }

        if (one.Length != other.Length)
        {
            return false;
        }

        for (var at = 0L; at < one.Length; at += Piece)
        {
            if (!one.Read(at, Piece).AsSpan().SequenceEqual(other.Read(at, Piece)))
            {
                return false;
            }
        }

        return true;
    }
}
