using Crust.Sysexts.Conversion;
using Crust.Trees;

namespace Crust.Sysexts.Checks;

/// <summary>Whole roots in an extension, which `crust sysext convert flatwrap` puts there: what is in one has its loader and its libraries there.</summary>
internal static class WrappedRoots
{
    private const string PrivateFolders = "usr/lib/";

    /// <summary>Checks the extension itself, and each root in it as a system of its own.</summary>
    public static IEnumerable<SysextFinding> Check(Extension extension, Func<Extension, IEnumerable<SysextFinding>> check)
    {
        var parts = extension.Tree.Entries.ToLookup(entry => RootOf(extension.Tree, entry.Path));
        return parts.All(part => part.Key is null) ? check(extension)
            : parts.SelectMany(part => part.Key is { } root ? check(extension with { Tree = Of(part, root.Length) })
                .Select(finding => finding with { Path = root + finding.Path }) : check(extension with { Tree = Of(part, 0) }));
    }

    private static FileTree Of(IEnumerable<TreeEntry> entries, int prefix) => FileTree.Empty.With(entries.Select(entry => entry with { Path = entry.Path[prefix..] }));

    // The root that a path is in, with the slash at its end; null if it is in none.
    private static string? RootOf(FileTree tree, string path)
    {
        var end = path.StartsWith(PrivateFolders, StringComparison.Ordinal) ? path.IndexOf('/', PrivateFolders.Length) : -1;
        var root = $"/{FlatwrapTree.RootName}/";
        return end > 0 && path.AsSpan(end).StartsWith(root, StringComparison.Ordinal) && tree.Find($"{path[..end]}/{FlatwrapTree.EnterName}") is { Kind: EntryKind.File }
            ? path[..end] + root : null;
    }
}
