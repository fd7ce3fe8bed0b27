using System.Collections.Immutable;
using System.Text;
using Crust.Sanitizing;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>
/// Finds the loader and all shared libraries of programs in a root, as the loader itself would there (ld.so(8); musl's ldso/dynlink.c): nothing of the root runs, and nothing of this
/// host is looked at.
/// </summary>
internal sealed class RootLibraries(FileTree root)
{
    private const int LongestConfig = 1 << 16;
    private const int MostIncludes = 100;

    // What glibc loads by itself when it is needed: threads that end, names of users and hosts (before 2.34 in libraries of their own).
    private static readonly ImmutableArray<string> LoadedByGlibc = ["libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libnss_compat.so.2"];

    private static readonly HashSet<string> PartsOfMusl = ["c", "pthread", "rt", "m", "dl", "util", "xnet"];

    private readonly SortedDictionary<string, (TreeEntry File, string For)> _found = new(StringComparer.Ordinal);

    /// <summary>Those found so far, by the names that programs call them: loaders among them.</summary>
    public IEnumerable<(string Name, TreeEntry File)> Found => _found.Select(found => (found.Key, found.Value.File));

    /// <summary>Adds what a program needs.</summary>
    /// <param name="shown">What it is called in errors.</param>
    /// <exception cref="CrustException">Something isn't in the root, or two libraries have one name.</exception>
    public void AddProgram(TreeEntry program, ElfFile elf, string shown)
    {
        if (elf.Interpreter is not { } loader)
        {
            return;
        }

        var file = root.Follow(loader) is { Kind: EntryKind.File } found ? found
            : throw new CrustException(FailureKind.BadInput, $"Its loader {CleanText.Line(loader)} isn't in the root", shown,
                "add what brings the loader to the root (the C library's package), or take a static program");
        Add(NameOf(loader), file, shown);
        AddNeeded(program, elf, [], IsMusl(loader), shown);
        // Only some programs need them, and not all roots have them.
        foreach (var name in _found.ContainsKey("libc.so.6") ? LoadedByGlibc : [])
        {
            if (Find(name, elf.Machine, [], isMusl: false) is { } library)
            {
                AddLibrary(name, library, [], isMusl: false, shown);
            }
        }
    }

    /// <summary>Adds a library that programs open by name when they run, with what it needs.</summary>
    /// <param name="library">Its path in the root, or its name.</param>
    /// <param name="of">A program that opens it.</param>
    /// <exception cref="CrustException">It isn't in the root, or two libraries have one name.</exception>
    public void AddLibrary(string library, ElfFile of, string shown)
    {
        var isMusl = of.Interpreter is { } loader && IsMusl(loader);
        var file = library.Contains('/') ? root.Follow(library) : Find(library, of.Machine, [], isMusl);
        if (file is not { Kind: EntryKind.File } || ElfFile.TryRead(file.Content) is null)
        {
            throw new CrustException(FailureKind.BadInput, file is null ? "There is no such library in the root" : "It is no library", shown,
                "write its path in the root: /usr/lib/x86_64-linux-gnu/libname.so.1");
        }

        AddLibrary(NameOf(library), file, [], isMusl, shown);
    }

    /// <summary>Whether a loader, by its path or name, is musl's.</summary>
    public static bool IsMusl(string loader) => NameOf(loader).StartsWith("ld-musl-", StringComparison.Ordinal);

    private void AddLibrary(string name, TreeEntry file, ImmutableArray<string> inherited, bool isMusl, string shown)
    {
        if (Add(name, file, shown) && ElfFile.TryRead(file.Content) is { } elf)
        {
            AddNeeded(file, elf, inherited, isMusl, shown);
        }
    }

    // A search path holds for what libraries need, too: RPATH does with glibc, and both do with musl.
    private void AddNeeded(TreeEntry file, ElfFile elf, ImmutableArray<string> inherited, bool isMusl, string shown)
    {
        var folder = file.Path[..Math.Max(0, file.Path.LastIndexOf('/'))];
        ImmutableArray<string> own = [.. elf.SearchPath.Select(path => path.Replace("${ORIGIN}", folder).Replace("$ORIGIN", folder)), .. inherited];
        foreach (var name in elf.Needed.Where(name => !isMusl || !IsOfMuslItself(name)))
        {
            if (name.Contains('/'))
            {
                throw new CrustException(FailureKind.BadInput,
                    $"/{CleanText.Line(file.Path)} names a library by its path, {CleanText.Line(name)}, and it would be looked for there", shown,
                    "use crust sysext convert flatwrap for it");
            }

            var library = Find(name, elf.Machine, own, isMusl)
                ?? throw new CrustException(FailureKind.BadInput, $"/{CleanText.Line(file.Path)} needs {CleanText.Line(name)}, which isn't in the root", shown,
                    "add what brings the library to the root, or name its folder in the root's /etc/ld.so.conf");
            AddLibrary(name, library, own, isMusl, shown);
        }
    }

    // False if it is there already.
    private bool Add(string name, TreeEntry file, string shown)
    {
        if (_found.TryAdd(name, (file, shown)))
        {
            return true;
        }

        var (there, by) = _found[name];
        return there.Content == file.Content ? false
            : throw new CrustException(FailureKind.BadInput,
                $"Two libraries have the name {CleanText.Line(name)}: /{CleanText.Line(there.Path)}, for {by}, and /{CleanText.Line(file.Path)}", shown,
                "convert the programs into two extensions, or use crust sysext convert flatwrap");
    }

    // musl's loader is its C library with all of its parts, and takes itself for them.
    private static bool IsOfMuslItself(string name) => name.StartsWith("lib", StringComparison.Ordinal) && PartsOfMusl.Contains(name[3..].Split('.')[0])
        && name.Contains('.');

    private TreeEntry? Find(string name, string machine, ImmutableArray<string> own, bool isMusl) => own.Concat(isMusl ? FoldersOfMusl(machine) : FoldersOfGlibc(machine))
        .Select(folder => root.Follow($"{folder}/{name}"))
        .FirstOrDefault(found => found is { Kind: EntryKind.File } && ElfFile.TryRead(found.Content)?.Machine == machine);

    private IEnumerable<string> FoldersOfMusl(string machine) =>
        root.Follow($"etc/ld-musl-{(machine == "arm64" ? "aarch64" : "x86_64")}.path") is { Kind: EntryKind.File } list ? TextOf(list).Split('\n', ':')
            .Select(line => line.Trim()).Where(line => line.Length > 0)
            : ["lib", "usr/local/lib", "usr/lib"];

    private IEnumerable<string> FoldersOfGlibc(string machine)
    {
        var triplet = machine == "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
        return Configured("etc/ld.so.conf", 0).Concat([$"lib/{triplet}", $"usr/lib/{triplet}", "lib64", "usr/lib64", "lib", "usr/lib"]);
    }

    // ld.so.conf: a folder a line, or include with a pattern.
    private IEnumerable<string> Configured(string path, int depth)
    {
        if (depth > 4 || root.Follow(path) is not { Kind: EntryKind.File } file)
        {
            return [];
        }

        return TextOf(file).Split('\n').Select(line => line.Split('#')[0].Trim()).Where(line => line.Length > 0)
            .SelectMany(line => line.Split([' ', '\t'], 2, StringSplitOptions.TrimEntries) is ["include", var pattern]
            ? Matching(pattern.StartsWith('/') ? pattern : $"etc/{pattern}").Take(MostIncludes).SelectMany(included => Configured(included, depth + 1)) : [line]);
    }

    // Patterns have a star for a part of the last name, if anything.
    private IEnumerable<string> Matching(string pattern)
    {
        var (folder, name) = (pattern[..Math.Max(0, pattern.LastIndexOf('/'))].Trim('/'), NameOf(pattern));
        var (start, end) = name.Split('*', 2) is [var before, var after] ? (before, after) : (name, null);
        var real = root.Follow(folder)?.Path ?? folder;
        return end is null ? [pattern] : root.Entries.Where(entry => entry.Path.StartsWith(real + "/", StringComparison.Ordinal)
            && entry.Path.LastIndexOf('/') == real.Length
            && entry.Name.Length >= start.Length + end.Length && entry.Name.StartsWith(start, StringComparison.Ordinal)
                && entry.Name.EndsWith(end, StringComparison.Ordinal)).Select(entry => entry.Path);
    }

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private static string TextOf(TreeEntry entry) => Encoding.UTF8.GetString(entry.Content.Read(0, LongestConfig));
}
