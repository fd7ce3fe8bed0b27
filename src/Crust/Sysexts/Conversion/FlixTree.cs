using System.Collections.Immutable;
using System.Text;
using Crust.Sanitizing;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>What is taken of a root.</summary>
internal sealed record TakeRequest
{
    /// <summary>The extension's name.</summary>
    public required string Name { get; init; }

    public required ImmutableArray<ProgramWish> Programs { get; init; }

    /// <summary>Libraries that the programs open by name, beside those that they are linked with: paths or names.</summary>
    public ImmutableArray<string> Libraries { get; init; } = [];

    /// <summary>Units, by their names or paths.</summary>
    public ImmutableArray<string> Units { get; init; } = [];

    /// <summary>Further files and folders.</summary>
    public ImmutableArray<string> Paths { get; init; } = [];

    /// <summary>The extension's private folder.</summary>
    public string Folder => $"usr/lib/{Name}";
}

/// <summary>Programs of a root with their own loader and libraries in a private folder, so that they run on any system with this architecture.</summary>
internal static class FlixTree
{
    private const int LongestLine = 256;

    // What systems have in any case.
    private static readonly HashSet<string> Shells = ["/bin/sh", "/usr/bin/sh", "/bin/bash", "/usr/bin/bash"];

    private static readonly string[] ProgramFolders = ["usr/bin", "bin", "usr/local/bin"];

    private static readonly HashSet<string> Environments = ["/usr/bin/env", "/bin/env"];

    /// <summary>Makes the extension's tree.</summary>
    /// <exception cref="CrustException">A program, a library or something else isn't in the root, names clash, or a program can't be rewritten.</exception>
    public static async Task<FileTree> BuildAsync(FileTree root, TakeRequest request, Patchelf patchelf, CancellationToken cancellation)
    {
        ProgramWish.CheckTargets(request.Programs);
        var libraries = new RootLibraries(root);
        var programs = request.Programs.Select(wish => (Wish: wish, Entry: ProgramIn(root, wish)))
            .Select(program => (program.Wish, program.Entry, Elf: ElfFile.TryRead(program.Entry.Content))).ToList();
        foreach (var (wish, entry, elf) in programs)
        {
            if (elf is not null)
            {
                libraries.AddProgram(entry, elf, wish.Where);
            }
            else
            {
                CheckScript(root, wish, entry, request.Programs);
            }
        }

        var opener = programs.FirstOrDefault(program => program.Elf?.Interpreter is not null).Elf;
        foreach (var library in request.Libraries)
        {
            libraries.AddLibrary(library, opener ?? throw new CrustException(FailureKind.BadInput, "None of the programs opens libraries: they are static, or scripts",
                $"--library {library}", "leave it out"), $"--library {library}");
        }

        var folder = $"{request.Folder}/lib";
        var taken = TakenFiles.Of(root, request.Programs, request.Units, request.Paths, request.Name);
        if (taken.Find(folder) is not null)
        {
            throw new CrustException(FailureKind.BadInput, $"A path that is taken has /{folder}, which is the place of the libraries", "--path",
                "give the extension another name: --name");
        }

        var files = new List<TreeEntry>();
        foreach (var (name, file) in libraries.Found)
        {
            files.Add(file with { Path = $"{folder}/{name}", Content = await LibraryAsync(file, $"/{folder}", patchelf, cancellation) });
            if (RootLibraries.IsMusl(name))
            {
                // musl knows no flag that keeps it out of the system's own folders; it reads this file beside its own folder.
                files.Add(TreeEntry.File($"{request.Folder}/etc/{name.Split('.')[0]}.path", TreeContent.Of($"/{folder}\n")));
            }
        }

        foreach (var (wish, entry, elf) in programs)
        {
            var content = elf?.Interpreter is not { } loader ? entry.Content
                : await patchelf.RewriteAsync(entry, $"/{folder}/{loader[(loader.LastIndexOf('/') + 1)..]}", $"/{folder}", cancellation);
            files.Add(entry with { Path = wish.Target, Content = content });
        }

        return Compose(taken, files);
    }

    /// <summary>The program that is meant: what links lead to.</summary>
    /// <exception cref="CrustException">It isn't in the root, or can't be run.</exception>
    public static TreeEntry ProgramIn(FileTree root, ProgramWish wish) => root.Follow(wish.Path) switch
    {
        null => throw new CrustException(FailureKind.BadInput, "There is no such program in the root", wish.Where, $"look it up in the root{Nearest(root, wish)}"),
        { Kind: EntryKind.File, Mode: var mode } entry when (mode & UnixFileMode.UserExecute) != 0 => entry,
        { Kind: EntryKind.File } => throw new CrustException(FailureKind.BadInput, "It is no program: its mode doesn't let anybody run it", wish.Where,
            "name a program; other files are taken by --path"),
        _ => throw new CrustException(FailureKind.BadInput, "It is no program, but a folder", wish.Where, "name a program; folders are taken by --path"),
    };

    /// <summary>Puts the programs over what else is taken.</summary>
    /// <exception cref="CrustException">A program's place is below a file.</exception>
    public static FileTree Compose(FileTree taken, IEnumerable<TreeEntry> files)
    {
        try
        {
            return taken.With(files);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The programs don't fit together: {e.Message}", "--program",
                "give them other places: --program PATH:TARGET", e);
        }
    }

    // A loader, and what needs nothing but it (the C library itself), stays what it is.
    private static async Task<TreeContent> LibraryAsync(TreeEntry file, string folder, Patchelf patchelf, CancellationToken cancellation) =>
        ElfFile.TryRead(file.Content) is { } elf && elf.Needed.Any(name => !name.StartsWith("ld-", StringComparison.Ordinal))
            ? await patchelf.RewriteAsync(file, null, folder, cancellation) : file.Content;

    private static void CheckScript(FileTree root, ProgramWish wish, TreeEntry entry, ImmutableArray<ProgramWish> programs)
    {
        var line = Encoding.UTF8.GetString(entry.Content.Read(0, LongestLine)).Split('\n')[0];
        string[] words = line.StartsWith("#!", StringComparison.Ordinal) ? line[2..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries) : [];
        if (words.Length == 0)
        {
            throw new CrustException(FailureKind.BadInput, "It is neither a 64-bit ELF program nor a script with an interpreter", wish.Where,
                "name a program that runs on amd64 or arm64; other files are taken by --path");
        }

        if (Shells.Contains(words[0]))
        {
            return;
        }

        var interpreter = Environments.Contains(words[0]) && words.Length > 1 ? words[1] : words[0];
        if (Shells.Contains($"/bin/{interpreter}")
            || programs.Any(program => interpreter.Contains('/') ? $"/{program.Target}" == interpreter : program.Target.EndsWith($"bin/{interpreter}", StringComparison.Ordinal)))
        {
            return;
        }

        var isThere = (interpreter.Contains('/') ? [interpreter] : ProgramFolders.Select(folder => $"{folder}/{interpreter}")).Any(path => root.Follow(path) is not null);
        throw new CrustException(FailureKind.BadInput, $"It is a script for {CleanText.Line(interpreter)}, which {(isThere ? "isn't taken along" : "isn't in the root")}", wish.Where,
            isThere ? "name that, too (--program), with the modules that it reads (--path), or use crust sysext convert flatwrap" : "add the interpreter's package to the root");
    }

    private static string Nearest(FileTree root, ProgramWish wish) =>
        root.Entries.Where(entry => entry.Kind is not EntryKind.Folder && entry.Name == wish.Path[(wish.Path.LastIndexOf('/') + 1)..]).Select(entry => entry.Path)
            .FirstOrDefault() is { } other ? $": it has /{CleanText.Line(other)}" : "";
}
