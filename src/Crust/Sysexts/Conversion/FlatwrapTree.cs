using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>A whole root in a private folder, with wrappers for its programs. Nothing in it is changed, so that it also has programs that can't be rewritten, and scripts.</summary>
internal static class FlatwrapTree
{
    /// <summary>The name of the script that runs a program in the root beside it.</summary>
    public const string EnterName = "enter";

    /// <summary>The name of the folder with the root.</summary>
    public const string RootName = "root";

    /// <summary>Makes the extension's tree.</summary>
    /// <exception cref="CrustException">A program or something else isn't in the root, or names clash.</exception>
    public static FileTree Build(FileTree root, TakeRequest request, FlatwrapMaps maps)
    {
        ProgramWish.CheckTargets(request.Programs);
        foreach (var program in request.Programs)
        {
            CheckVisible(root, program, FlixTree.ProgramIn(root, program), maps);
        }

        var kept = root.Entries.Where(entry => entry.Kind is EntryKind.File or EntryKind.Folder or EntryKind.Symlink && maps.Takes(TopOf(entry.Path))).ToList();
        var tops = kept.Where(entry => !entry.Path.Contains('/') && entry.Kind is not EntryKind.File).ToList();
        var taken = TakenFiles.Of(root, request.Programs, request.Units, request.Paths, request.Name);
        var (inside, enter) = ($"{request.Folder}/{RootName}", $"{request.Folder}/{EnterName}");
        if (taken.Find(inside) is not null || taken.Find(enter) is not null)
        {
            throw new CrustException(FailureKind.BadInput, $"A path that is taken has /{request.Folder}, which is the place of the root", "--path",
                "give the extension another name: --name");
        }

        TreeEntry Script(string path, string text) => TreeEntry.File(path, TreeContent.Of(text), TreeEntry.Executable);
        return FlixTree.Compose(taken,
        [
            TreeEntry.Folder(inside),
            // The place of the system's own, where the rest is the root's.
            .. maps.Takes("var") ? [TreeEntry.Folder($"{inside}/var/tmp", TreeEntry.Executable)] : Array.Empty<TreeEntry>(),
            .. kept.Where(entry => entry.Path.Contains('/') || entry.Kind is not EntryKind.File).Select(entry => entry with { Path = $"{inside}/{entry.Path}" }),
            TreeEntry.Folder($"{request.Folder}/mnt"),
            Script(enter, FlatwrapScripts.Enter(request.Folder, tops, maps)),
            .. request.Programs.Select(program => Script(program.Target, FlatwrapScripts.Wrapper(request.Folder, program))),
        ]);
    }

    private static void CheckVisible(FileTree root, ProgramWish program, TreeEntry entry, FlatwrapMaps maps)
    {
        var hidden = new[] { program.Path, entry.Path }.FirstOrDefault(path => !maps.Takes(TopOf(path)));
        if (hidden is not null)
        {
            throw new CrustException(FailureKind.BadInput, $"The program is at /{hidden}, and programs see the system's own /{TopOf(hidden)} in place of the root's",
                program.Where, "map that folder to the root (--etc-map, --var-map, --home-map: chroot), or name a program elsewhere");
        }

        if (ElfFile.TryRead(entry.Content) is { } elf)
        {
            new RootLibraries(root).AddProgram(entry, elf, program.Where);
        }
    }

    private static string TopOf(string path) => path.Split('/')[0];
}
