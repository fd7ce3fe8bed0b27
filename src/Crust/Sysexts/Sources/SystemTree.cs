using Crust.Trees;

namespace Crust.Sysexts.Sources;

/// <summary>Makes of files that were meant for a whole system what an extension may have.</summary>
internal static class SystemTree
{
    private const string Factory = "usr/share/factory/";

    // Where /usr is merged, as in Debian since 12.
    private static readonly string[] Merged = ["bin", "sbin", "lib", "lib64"];

    private static readonly string[] Dropped = ["etc/init.d", "etc/rc.d", "usr/share/doc", "usr/share/lintian", "usr/share/man", "usr/share/bug"];

    /// <summary>
    /// What lies in /bin, /sbin and /lib goes below /usr; files of /etc go to where systemd-tmpfiles copies them from at boot, and folders of /var are made by it. Documentation and
    /// SysV's scripts are left out.
    /// </summary>
    /// <param name="name">The extension's name, after which the tmpfiles.d file is called.</param>
    /// <exception cref="InvalidDataException">Something lies below a file.</exception>
    public static FileTree ToExtension(IEnumerable<FileTree> trees, string name)
    {
        var root = FileTree.Empty.With(Merged.SelectMany(folder => new[] { TreeEntry.Folder("usr/" + folder), TreeEntry.Symlink(folder, "usr/" + folder) }));
        foreach (var tree in trees)
        {
            root = tree.Over(root);
        }

        foreach (var path in Merged.Concat(Dropped))
        {
            root = root.Without(path);
        }

        var configuration = root.Entries.Where(entry => entry.Path.StartsWith("etc/", StringComparison.Ordinal) && entry.Kind is not EntryKind.Folder).ToList();
        var state = root.Entries.Where(entry => entry.Path.StartsWith("var/", StringComparison.Ordinal) && entry.Kind is EntryKind.Folder).ToList();
        var lines = configuration.Select(entry => $"C \"/{entry.Path}\" - - - -\n")
            .Concat(state.Select(entry => $"d \"/{entry.Path}\" {Convert.ToString((int)entry.Mode, 8).PadLeft(4, '0')} {entry.Uid} {entry.Gid} -\n")).ToList();
        root = root.Without(entry => entry.Path is "etc" or "var" || entry.Path.StartsWith("etc/", StringComparison.Ordinal) || state.Contains(entry))
            .With(configuration.Select(entry => entry with { Path = Factory + entry.Path }));
        root = lines.Count == 0 ? root : root.With(TreeEntry.File($"usr/lib/tmpfiles.d/{name}-extension.conf", TreeContent.Of(string.Concat(lines))));
        return WithoutEmptyFolders(root);
    }

    // An empty folder of an extension says nothing, and /usr/sbin would be in the way.
    private static FileTree WithoutEmptyFolders(FileTree tree)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in tree.Entries.Where(entry => entry.Kind is not EntryKind.Folder))
        {
            for (var end = entry.Path.LastIndexOf('/'); end > 0; end = entry.Path.LastIndexOf('/', end - 1))
            {
                used.Add(entry.Path[..end]);
            }
        }

        return tree.Without(entry => entry.Kind is EntryKind.Folder && !used.Contains(entry.Path));
    }
}
