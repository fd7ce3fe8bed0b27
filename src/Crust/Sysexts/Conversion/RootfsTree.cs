using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>Files of a root as they are, for systems that have the libraries that they need.</summary>
internal static class RootfsTree
{
    private static readonly string[] Merged = ["/bin", "/lib", "/lib64", "/opt", "/sbin", "/usr"];

    // With them, systemd would take the extension for a system, or for another extension.
    private static readonly string[] Identity = ["usr/lib/os-release", ReleaseFile.Folder];

    /// <summary>Makes the extension's tree.</summary>
    /// <param name="paths">What is taken; nothing for all that an extension may have of a root.</param>
    /// <exception cref="CrustException">A path isn't in the root.</exception>
    public static FileTree Build(FileTree root, IReadOnlyCollection<string> paths, string name) =>
        Identity.Aggregate(TakenFiles.Of(root, [], [], paths.Count > 0 ? paths : Merged.Where(path => root.Follow(path) is not null), name),
            (tree, path) => tree.Without(path));
}
