using System.Text;
using System.Text.RegularExpressions;
using Crust.Sysexts.Sources;
using Crust.Trees;

namespace Crust.Sysexts.Conversion;

/// <summary>Files of a root that an extension has beside its programs: units, folders of data, configuration.</summary>
internal static partial class TakenFiles
{
    private const string SystemUnits = "usr/lib/systemd/system";
    private const int LongestUnit = 1 << 20;

    private static readonly string[] UnitFolders = ["etc/systemd/system", SystemUnits, "lib/systemd/system", "usr/local/lib/systemd/system"];

    /// <summary>They as an extension has them: configuration comes to its place by tmpfiles.d, units start with the targets that their [Install] section names.</summary>
    /// <param name="programs">Those whose places have changed, also in units.</param>
    /// <param name="units">Names of units, or their paths in the root.</param>
    /// <param name="paths">Files and folders in the root, with all in them.</param>
    /// <param name="name">The extension's name.</param>
    /// <exception cref="CrustException">Something isn't in the root.</exception>
    public static FileTree Of(FileTree root, IReadOnlyList<ProgramWish> programs, IEnumerable<string> units, IEnumerable<string> paths, string name)
    {
        var taken = paths.SelectMany(path => At(root, path)).ToList();
        foreach (var unit in units)
        {
            var (file, dropIns) = UnitOf(root, unit);
            var text = MoveProgramsIn(TextOf(file), programs);
            taken.Add(TreeEntry.File($"{SystemUnits}/{file.Name}", TreeContent.Of(text)));
            taken.AddRange(dropIns.Select(dropIn => dropIn with { Path = $"{SystemUnits}/{file.Name}.d/{dropIn.Name}" }));
            taken.AddRange(TargetsOf(text).Where(_ => !file.Name.Contains("@.", StringComparison.Ordinal)).Select(target => Upholds(target, file.Name)));
        }

        try
        {
            return SystemTree.ToExtension([FileTree.Empty.With(taken)], name);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The paths don't fit together: {e.Message}", "--path", "leave one of them out", e);
        }
    }

    /// <summary>The drop-in with which a target starts a unit and keeps it running: a merge comes after systemd has looked at `.wants` folders.</summary>
    public static TreeEntry Upholds(string target, string unit) => TreeEntry.File($"{SystemUnits}/{target}.d/10-{unit.Replace('.', '-')}.conf",
        TreeContent.Of($"[Unit]\nUpholds={unit}\n"));

    // A link comes with what it leads to.
    private static IEnumerable<TreeEntry> At(FileTree root, string path)
    {
        var plain = ProgramWish.Plain(path.TrimEnd('/')) ?? throw new CrustException(FailureKind.BadInput, $"'{path}' is no path in a root", "--path",
            "write an absolute path: /usr/share/tool");
        var folder = plain.Contains('/') ? root.Follow(plain[..plain.LastIndexOf('/')])?.Path + "/" : "";
        var entry = root.Find(folder + plain[(plain.LastIndexOf('/') + 1)..]);
        var real = root.Follow(plain);
        if (entry is null || real is null)
        {
            throw new CrustException(FailureKind.BadInput, entry is null ? "There is no such file or folder in the root" : "It is a link that leads nowhere",
                $"--path {path}", "look it up in the root, or leave it out");
        }

        return root.Entries.Where(other => other == entry || other == real || other.Path.StartsWith(real.Path + "/", StringComparison.Ordinal))
            .Where(other => other.Kind is EntryKind.File or EntryKind.Folder or EntryKind.Symlink);
    }

    private static (TreeEntry File, IEnumerable<TreeEntry> DropIns) UnitOf(FileTree root, string unit)
    {
        IEnumerable<string> places = unit.Contains('/') ? [unit.TrimStart('/')] : UnitFolders.Select(folder => $"{folder}/{unit}");
        var (place, file) = places.Select(place => (place, root.Follow(place))).FirstOrDefault(found => found.Item2 is { Kind: EntryKind.File });
        if (file is null)
        {
            throw new CrustException(FailureKind.BadInput, "There is no such unit in the root", $"--unit {unit}",
                $"write the name of a unit in /{string.Join(", /", UnitFolders)}, or its path");
        }

        var dropIns = root.Follow(place + ".d")?.Path is { } folder
            ? root.Entries.Where(entry => entry.Kind is EntryKind.File && entry.Path.StartsWith(folder + "/", StringComparison.Ordinal)) : [];
        return (file with { Path = place }, dropIns);
    }

    private static string MoveProgramsIn(string unit, IReadOnlyList<ProgramWish> programs) => CommandOf().Replace(unit, match =>
        programs.FirstOrDefault(program => program.Path != program.Target && WithoutUsr(program.Path) == WithoutUsr(match.Groups["path"].Value[1..])) is { } moved
            ? $"{match.Groups["before"].Value}/{moved.Target}" : match.Value);

    private static string WithoutUsr(string path) => path.StartsWith("usr/", StringComparison.Ordinal) ? path[4..] : path;

    private static IEnumerable<string> TargetsOf(string unit)
    {
        var lines = unit.Split('\n').Select(line => line.Trim()).ToList();
        return lines.SkipWhile(line => line != "[Install]").Skip(1).TakeWhile(line => !line.StartsWith('['))
            .Select(line => line.Split('=', 2)).Where(setting => setting is ["WantedBy" or "RequiredBy" or "UpheldBy", _])
            .SelectMany(setting => setting[1].Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(target => TargetName().IsMatch(target)).Distinct();
    }

    private static string TextOf(TreeEntry entry) => Encoding.UTF8.GetString(entry.Content.Read(0, LongestUnit));

    [GeneratedRegex(@"^(?<before>Exec\w+[ \t]*=[ \t]*[-@:+!|]*)(?<path>/[^\s;]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex CommandOf();

    [GeneratedRegex(@"\A[A-Za-z0-9:_.@-]+\.[a-z]+\z")]
    private static partial Regex TargetName();
}
