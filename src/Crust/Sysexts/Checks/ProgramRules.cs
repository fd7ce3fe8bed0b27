using System.Text;
using Crust.Sanitizing;
using Crust.Trees;

namespace Crust.Sysexts.Checks;

/// <summary>What programs in an extension need to run: their architecture, their interpreters, their libraries.</summary>
internal static class ProgramRules
{
    private const int LongestLine = 256;

    // Where the loaders of glibc and musl look by themselves, with Debian's folders; those at the top are of roots of their own.
    private static readonly string[] LibraryFolders =
    [
        "usr/lib", "usr/lib64", "usr/local/lib", "usr/lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu", "lib", "lib64", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib/x86_64-linux-musl",
        "lib/aarch64-linux-musl",
    ];

    // glibc's own, which every system has that has glibc.
    private static readonly HashSet<string> Glibc =
    [
        "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "libutil.so.1", "libanl.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
    ];

    // musl's loader is its C library.
    private static readonly HashSet<string> Musl = ["libc.so", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"];

    private static readonly HashSet<string> GlibcLoaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"];

    private static readonly HashSet<string> Shells = ["/bin/sh", "/usr/bin/sh", "/bin/bash", "/usr/bin/bash", "/usr/bin/env", "/bin/env"];

    /// <param name="host">The os-release of the system that it is to work on; null for what the extension says itself.</param>
    public static IEnumerable<SysextFinding> Check(Extension extension, ReleaseFile? host)
    {
        var release = extension.Release;
        return extension.Tree.Entries
            .Where(entry => entry.Kind is EntryKind.File && (IsExecutable(entry) || entry.Name.Contains(".so", StringComparison.Ordinal)))
            .SelectMany(entry => ScriptInterpreter(entry) is { } script ? [OfScript(extension, entry, script)]
                : ElfFile.TryRead(entry.Content) is { } elf ? new[] { OfElf(extension, entry, elf, release), OfGlibc(extension, entry, elf, host ?? release) } : [])
            .OfType<SysextFinding>();
    }

    private static SysextFinding? OfScript(Extension extension, TreeEntry entry, string interpreter) => Shells.Contains(interpreter) || extension.Follow(interpreter) is not null ? null
        : new(SysextSeverity.Warning, "interpreter", extension.File, entry.Path, $"It is a script for {CleanText.Line(interpreter)}, which isn't in the extension", "see to it that the system has it, or add it");

    private static SysextFinding? OfElf(Extension extension, TreeEntry entry, ElfFile elf, ReleaseFile? release)
    {
        SysextFinding Finding(SysextSeverity severity, string rule, string what, string remedy) => new(severity, rule, extension.File, entry.Path, what, remedy);

        if (release?.Architecture is { } architecture && architecture != SysextPlan.AnyOs && elf.Machine != architecture)
        {
            return Finding(SysextSeverity.Error, "architecture", $"It is a program for {elf.Machine}, and the extension is for {CleanText.Line(architecture)}", "build the extension for the programs' architecture (--arch), or take other programs");
        }

        if (elf.Interpreter is { } loader && !GlibcLoaders.Contains(loader) && extension.Follow(loader) is null)
        {
            return Finding(SysextSeverity.Error, "interpreter", $"Its loader is {CleanText.Line(loader)}, which isn't in the extension, and which no system with glibc has", "add the loader and its libraries, or take a static program");
        }

        var missing = elf.Needed.Where(name => !Glibc.Contains(name) && !Musl.Contains(name) && !Has(extension.Tree, entry, elf, name)).Distinct().Select(name => CleanText.Line(name)).ToList();
        return missing.Count == 0 ? null
            : Finding(SysextSeverity.Warning, "library", $"It needs {string.Join(", ", missing)}, which the extension doesn't have",
                release?.Id is null or SysextPlan.AnyOs ? "add what is missing, take a static program, or build it for one system with --os" : $"see to it that {CleanText.Line(release.Id)} has what is missing, or add it");
    }

    // A program that brings its own loader brings its own glibc, and so does a library that is beside one.
    private static SysextFinding? OfGlibc(Extension extension, TreeEntry entry, ElfFile elf, ReleaseFile? system)
    {
        var folder = entry.Path[..Math.Max(0, entry.Path.LastIndexOf('/'))];
        if (elf.Glibc is not { } wanted || (elf.Interpreter is { } loader && extension.Follow(loader) is not null)
            || Has(extension.Tree, entry, elf, "libc.so.6") || extension.Tree.Follow($"{folder}/libc.so.6") is not null)
        {
            return null;
        }

        const string remedy = "take the program of an older release, a static one, or build the extension for newer systems with --os";
        if (system is not null && KnownGlibc.Of(system) is { } there)
        {
            return there >= wanted ? null
                : new(SysextSeverity.Error, "glibc", extension.File, entry.Path, $"It needs glibc {wanted}, and {CleanText.Line(system.Id!)} {CleanText.Line(system.VersionId!)} has {there}", remedy);
        }

        return KnownGlibc.OlderThan(wanted) is { Count: > 0 } older
            ? new(SysextSeverity.Warning, "glibc", extension.File, entry.Path, $"It needs glibc {wanted}, and {string.Join(", ", older)}", remedy) : null;
    }

    private static bool IsExecutable(TreeEntry entry) => (entry.Mode & UnixFileMode.UserExecute) != 0;

    private static bool Has(FileTree tree, TreeEntry program, ElfFile elf, string library)
    {
        var folder = program.Path[..Math.Max(0, program.Path.LastIndexOf('/'))];
        return library.Contains('/') ? tree.Follow(library) is not null
            : elf.SearchPath.Select(path => path.Replace("${ORIGIN}", folder).Replace("$ORIGIN", folder)).Concat(LibraryFolders).Any(path => tree.Follow($"{path}/{library}") is { Kind: EntryKind.File });
    }

    private static string? ScriptInterpreter(TreeEntry entry)
    {
        var line = Encoding.UTF8.GetString(entry.Content.Read(0, LongestLine)).Split('\n')[0];
        return IsExecutable(entry) && line.StartsWith("#!", StringComparison.Ordinal) ? line[2..].Trim().Split(' ', 2)[0] : null;
    }
}
