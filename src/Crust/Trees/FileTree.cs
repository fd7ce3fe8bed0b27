using System.Collections.Immutable;
using Crust.Sanitizing;

namespace Crust.Trees;

/// <summary>
/// Files, folders and links below a root, in ordinal order of their paths; immutable. No path leaves it, whatever the archive said that it was read from:
/// paths are looked up in the tree alone, never on this host.
/// </summary>
internal sealed partial class FileTree
{
    private const int MostLinks = 40;
    private const int LongestPath = 4096;

    private readonly ImmutableSortedDictionary<string, TreeEntry> _entries;

    private FileTree(ImmutableSortedDictionary<string, TreeEntry> entries) => _entries = entries;

    public static FileTree Empty { get; } = new(ImmutableSortedDictionary.Create<string, TreeEntry>(StringComparer.Ordinal));

    /// <summary>All of it: a folder stands before what is in it.</summary>
    public IEnumerable<TreeEntry> Entries => _entries.Values;

    public int Count => _entries.Count;

    /// <summary>The entry of exactly that path; null if there is none.</summary>
    public TreeEntry? Find(string path) => _entries.GetValueOrDefault(path);

    /// <summary>The entry that a path leads to when links in it are followed, as in a system whose root this is; null if there is none, or links go round in circles.</summary>
    /// <param name="path">With or without a slash in front.</param>
    public TreeEntry? Follow(string path) => Resolve(_entries.GetValueOrDefault, path.Split('/', StringSplitOptions.RemoveEmptyEntries)) is { } real ? Find(real) : null;

    /// <summary>
    /// The tree with more entries: the later one of a path wins. Folders that are missing above one are made; where a path leads through a link to a folder, the entry goes
    /// into that folder, and a folder doesn't replace such a link, as dpkg has it.
    /// </summary>
    /// <exception cref="InvalidDataException">A path or a link leaves the tree, or goes through a file.</exception>
    public FileTree With(params IEnumerable<TreeEntry> entries)
    {
        var builder = _entries.ToBuilder();
        foreach (var entry in entries)
        {
            Add(builder, entry);
        }

        return new FileTree(builder.ToImmutable());
    }

    /// <summary>This tree laid over another one: where both have a path, this one's entry wins.</summary>
    /// <exception cref="InvalidDataException">One of its paths goes through a file of the other.</exception>
    public FileTree Over(FileTree below) => below.With(Entries);

    /// <summary>The tree without what matches.</summary>
    public FileTree Without(Predicate<TreeEntry> matches) => new(_entries.RemoveRange(Entries.Where(entry => matches(entry)).Select(entry => entry.Path)));

    /// <summary>The tree without a path and all below it.</summary>
    public FileTree Without(string path) => Without(entry => IsAtOrBelow(entry.Path, path));

    private static bool IsAtOrBelow(string path, string top) => path.StartsWith(top, StringComparison.Ordinal) && (path.Length == top.Length || path[top.Length] == '/');

    private static void Add(ImmutableSortedDictionary<string, TreeEntry>.Builder entries, TreeEntry entry)
    {
        var parts = PartsOf(entry.Path);
        if (entry.Kind is EntryKind.Symlink)
        {
            CheckTarget(entry, parts.Length - 1);
        }

        var parent = ParentOf(entries, parts, entry.Path);
        var path = parent.Length == 0 ? parts[^1] : $"{parent}/{parts[^1]}";
        var there = entries.GetValueOrDefault(path);
        if (entry.Kind is EntryKind.Folder && there is { Kind: EntryKind.Symlink } && Resolve(entries.GetValueOrDefault, path.Split('/')) is { } real && entries.GetValueOrDefault(real)?.Kind is EntryKind.Folder)
        {
            return;
        }

        if (there is { Kind: EntryKind.Folder } && entry.Kind is not EntryKind.Folder)
        {
            entries.RemoveRange([.. entries.Keys.Where(key => IsAtOrBelow(key, path))]);
        }

        entries[path] = entry.Path == path ? entry : entry with { Path = path };
    }

    // Makes what is missing above an entry; gives the folder's own path, without links in it.
    private static string ParentOf(ImmutableSortedDictionary<string, TreeEntry>.Builder entries, string[] parts, string path)
    {
        var parent = "";
        foreach (var part in parts[..^1])
        {
            var next = parent.Length == 0 ? part : $"{parent}/{part}";
            var there = entries.GetValueOrDefault(next);
            if (there is { Kind: EntryKind.Symlink })
            {
                next = Resolve(entries.GetValueOrDefault, next.Split('/')) is { } real && (there = entries.GetValueOrDefault(real)) is not null ? real
                    : throw new InvalidDataException($"{Shown(path)} lies below the link {Shown(next)}, which leads to no folder");
            }

            if (there is null)
            {
                entries[next] = TreeEntry.Folder(next);
            }
            else if (there.Kind is not EntryKind.Folder)
            {
                throw new InvalidDataException($"{Shown(path)} lies below {Shown(next)}, which is no folder");
            }

            parent = next;
        }

        return parent;
    }

    private static string[] PartsOf(string path)
    {
        var parts = path.Split('/');
        return path.Length <= LongestPath && parts.All(part => part is not ("" or "." or "..") && !part.Any(c => c is '\0' or '\uFFFD')) ? parts
            : throw new InvalidDataException($"'{Shown(path)}' is no path in a tree: it is absolute, has .. or a part without a name in it, isn't UTF-8, or is too long");
    }

    // An absolute target starts at the tree's root. A kernel lets `..` at the root be the root; a link that counts on it was made for another place.
    private static void CheckTarget(TreeEntry link, int depth)
    {
        if (link.LinkTarget.Length is 0 or > LongestPath)
        {
            throw new InvalidDataException($"the link {Shown(link.Path)} leads nowhere");
        }

        depth = link.LinkTarget[0] == '/' ? 0 : depth;
        foreach (var part in link.LinkTarget.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            depth += part switch { "." => 0, ".." => -1, _ => 1 };
            if (depth < 0)
            {
                throw new InvalidDataException($"the link {Shown(link.Path)} leads out of the root: {Shown(link.LinkTarget)}");
            }
        }
    }

    // The path without links; what comes after an entry that isn't there has none.
    private static string? Resolve(Func<string, TreeEntry?> find, string[] path)
    {
        var real = new List<string>();
        var rest = new Stack<string>(path.Reverse());
        for (var links = 0; rest.TryPop(out var part);)
        {
            if (part == "..")
            {
                real.RemoveRange(Math.Max(0, real.Count - 1), Math.Min(1, real.Count));
                continue;
            }

            if (part is "." or "")
            {
                continue;
            }

            real.Add(part);
            if (find(string.Join('/', real)) is { Kind: EntryKind.Symlink } link)
            {
                if (++links > MostLinks)
                {
                    return null;
                }

                real.RemoveAt(real.Count - 1);
                if (link.LinkTarget[0] == '/')
                {
                    real.Clear();
                }

                foreach (var next in link.LinkTarget.Split('/').Reverse())
                {
                    rest.Push(next);
                }
            }
        }

        return string.Join('/', real);
    }

    private static string Shown(string path) => CleanText.Line(path, 200);
}
