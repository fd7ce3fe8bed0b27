using System.Text;
using System.Text.RegularExpressions;
using Crust.Sanitizing;
using Crust.Trees;

namespace Crust.Sysexts.Checks;

/// <summary>What units in an extension name, and the files beside them.</summary>
internal static partial class UnitRules
{
    private const int LongestUnit = 1 << 20;
    private const string Prefixes = "-@:+!|";

    private static readonly char[] Blanks = [' ', '\t'];

    // What every system with systemd has.
    private static readonly HashSet<string> Users = ["root", "nobody", "nogroup", "daemon", "adm", "tty", "disk", "audio", "video", "users", "systemd-network", "systemd-resolve", "systemd-journal"];

    private static readonly HashSet<string> Programs = ["/bin/sh", "/usr/bin/sh", "/usr/bin/env"];

    public static IEnumerable<SysextFinding> Check(Extension extension)
    {
        var made = MadeUsers(extension.Tree);
        return extension.Tree.Entries.Where(entry => entry.Kind is EntryKind.File && InUnits().IsMatch(entry.Path)).SelectMany(entry => Check(extension, entry, made));
    }

    private static IEnumerable<SysextFinding> Check(Extension extension, TreeEntry entry, HashSet<string> made)
    {
        SysextFinding Finding(SysextSeverity severity, string rule, string what, string remedy) => new(severity, rule, extension.File, entry.Path, what, remedy);

        if (InDropIns().IsMatch(entry.Path) && !entry.Name.EndsWith(".conf", StringComparison.Ordinal))
        {
            yield return Finding(SysextSeverity.Error, "drop-in-name", "systemd reads no drop-in whose name doesn't end in .conf", $"rename it to {CleanText.Line(entry.Name)}.conf");
            yield break;
        }

        var settings = Settings(entry).ToList();
        foreach (var path in settings.Where(setting => setting.Key.StartsWith("Exec", StringComparison.Ordinal)).Select(setting => ProgramOf(setting.Value)).OfType<string>().Distinct())
        {
            if (extension.Follow(path) is not null)
            {
                continue;
            }

            var name = path[(path.LastIndexOf('/') + 1)..];
            var elsewhere = extension.Tree.Entries.FirstOrDefault(other => other.Kind is EntryKind.File && other.Name == name && (other.Mode & UnixFileMode.UserExecute) != 0);
            yield return elsewhere is not null
                ? Finding(SysextSeverity.Error, "unit-program", $"It runs {CleanText.Line(path)}, and the program is at /{elsewhere.Path}", $"write /{elsewhere.Path} in the unit")
                : Finding(SysextSeverity.Warning, "unit-program", $"It runs {CleanText.Line(path)}, which isn't in the extension", "see to it that the system has it, or add it");
        }

        var isDynamic = settings.Any(setting => setting is { Key: "DynamicUser", Value: "yes" or "true" or "1" or "on" });
        foreach (var (key, name) in settings.Where(setting => setting.Key is "User" or "Group" or "SocketUser" or "SocketGroup").Distinct())
        {
            if (!isDynamic && name.Length > 0 && !name.Contains('%') && !name.All(char.IsAsciiDigit) && !Users.Contains(name) && !made.Contains(name))
            {
                yield return Finding(SysextSeverity.Warning, "unit-user", $"{key}={CleanText.Line(name)}: nothing in the extension makes that {(key.EndsWith("User", StringComparison.Ordinal) ? "user" : "group")}",
                    "add a file to usr/lib/sysusers.d, or see to it that the system has it");
            }
        }
    }

    // The first word without its prefixes (systemd.service(5), "Command lines"); null for what may be missing, what every system has, and what isn't a plain path.
    private static string? ProgramOf(string command)
    {
        var word = command.Split(Blanks, 2)[0];
        var path = word.TrimStart([.. Prefixes]).Trim('"');
        var mayBeMissing = word.TakeWhile(Prefixes.Contains).Contains('-');
        return mayBeMissing || !path.StartsWith('/') || path.Contains('%') || path.Contains('$') || Programs.Contains(path) ? null : path;
    }

    private static IEnumerable<(string Key, string Value)> Settings(TreeEntry entry) =>
        TextOf(entry).Replace("\\\n", " ").Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] is not ('#' or ';') && line.Contains('='))
            .Select(line => (line[..line.IndexOf('=')].TrimEnd(), line[(line.IndexOf('=') + 1)..].Trim()));

    // sysusers.d(5): a user brings a group of its name.
    private static HashSet<string> MadeUsers(FileTree tree) =>
    [
        .. tree.Entries.Where(entry => entry.Kind is EntryKind.File && entry.Path.StartsWith("usr/lib/sysusers.d/", StringComparison.Ordinal) && entry.Name.EndsWith(".conf", StringComparison.Ordinal))
            .SelectMany(entry => TextOf(entry).Split('\n')).Select(line => line.Split(Blanks, StringSplitOptions.RemoveEmptyEntries)).Where(words => words is [['u' or 'g', ..], _, ..])
            .Select(words => words[1].Trim('"')),
    ];

    private static string TextOf(TreeEntry entry) => Encoding.UTF8.GetString(entry.Content.Read(0, LongestUnit));

    [GeneratedRegex(@"\Ausr/(local/)?lib/systemd/(system|user)/.")]
    private static partial Regex InUnits();

    [GeneratedRegex(@"\.(service|socket|target|timer|mount|automount|path|slice|scope|swap|device)\.d/[^/]+\z")]
    private static partial Regex InDropIns();
}
