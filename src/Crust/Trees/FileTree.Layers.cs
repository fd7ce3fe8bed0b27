using System.Collections.Immutable;

namespace Crust.Trees;

/// <summary>Trees that archives change (OCI Image Format Specification 1.1, "Image Layer Filesystem Changeset").</summary>
internal sealed partial class FileTree
{
    private const string Hides = ".wh.";
    private const string HidesAll = ".wh..wh..opq";

    /// <summary>
    /// The tree with a layer over it, a tar archive that isn't compressed: what the layer hides goes first, so that it never hides what it brings itself. A hard link may be another name
    /// of a file below; a folder that the layer names takes a link's place. The tree reads from the archive as long as it is used.
    /// </summary>
    /// <param name="allowDevices">Whether devices and FIFOs may be in it, as in the root of a system.</param>
    /// <exception cref="CrustException">There is none, it can't be read, or was made to do harm.</exception>
    public FileTree WithLayer(string path, bool allowDevices) => ReadTar(path, archive =>
    {
        var builder = _entries.ToBuilder();
        Hide(builder, Open(archive));
        foreach (var entry in In(archive, path, allowDevices, name => FindIn(builder, name)).Where(entry => !entry.Name.StartsWith(Hides, StringComparison.Ordinal)))
        {
            if (entry.Kind is EntryKind.Folder && RealPath(builder, entry.Path) is { } real && builder.GetValueOrDefault(real)?.Kind is EntryKind.Symlink)
            {
                builder.Remove(real);
            }

            Add(builder, entry);
        }

        return new FileTree(builder.ToImmutable());
    });

    private static void Hide(ImmutableSortedDictionary<string, TreeEntry>.Builder entries, TarArchive layer)
    {
        var (hidden, emptied) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal));
        while (layer.Next() is { } member)
        {
            var path = member.Name.TrimEnd('/');
            var name = path[(path.LastIndexOf('/') + 1)..];
            if (name.StartsWith(Hides, StringComparison.Ordinal) && RealPath(entries, path) is { } real)
            {
                (name == HidesAll ? emptied : hidden).Add(name == HidesAll ? real[..^name.Length].TrimEnd('/') : real[..^name.Length] + name[Hides.Length..]);
            }
        }

        if (hidden.Count + emptied.Count > 0)
        {
            entries.RemoveRange([.. entries.Keys.Where(path => IsHidden(path, hidden, emptied))]);
        }
    }

    private static bool IsHidden(string path, HashSet<string> hidden, HashSet<string> emptied)
    {
        if (hidden.Contains(path) || emptied.Contains(""))
        {
            return true;
        }

        for (var slash = path.LastIndexOf('/'); slash > 0; slash = path.LastIndexOf('/', slash - 1))
        {
            if (path[..slash] is var above && (hidden.Contains(above) || emptied.Contains(above)))
            {
                return true;
            }
        }

        return false;
    }
}
