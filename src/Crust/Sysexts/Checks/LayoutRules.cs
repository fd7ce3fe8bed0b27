using System.Collections.Immutable;
using System.Text;
using Crust.Sanitizing;
using Crust.Trees;

namespace Crust.Sysexts.Checks;

/// <summary>What may lie where in an extension.</summary>
internal static class LayoutRules
{
    // One on each side of the change of names.
    private static readonly int[] Systemds = [252, 257];

    private static readonly ImmutableArray<string> OsReleases = ["usr/lib/os-release", "etc/os-release"];

    private static readonly ImmutableArray<string> Usual = ["usr", "opt"];

    // What Kairos merges (its documentation, "Extending the system with systemd extensions").
    private static readonly ImmutableArray<string> OfKairos =
    [
        .. new[] { "bin", "sbin", "include", "lib", "share", "src" }.SelectMany(folder => new[] { $"usr/local/{folder}", $"usr/{folder}" }),
    ];

    // Of squashfs, EROFS and ext4 the smallest, and of the kernel (NAME_MAX, XATTR_SIZE_MAX; ext4 keeps a link's target in one block).
    private const int LongestName = 255;
    private const int LongestTarget = 4095;
    private const int LargestXattr = 64 << 10;

    public static IEnumerable<SysextFinding> Check(Extension extension, SysextProfile profile)
    {
        var hierarchies = profile is SysextProfile.Kairos ? OfKairos : Usual;
        return Releases(extension, profile).Concat(extension.Tree.Entries.SelectMany(entry => OfEntry(extension, entry, profile, hierarchies)));
    }

    private static IEnumerable<SysextFinding> Releases(Extension extension, SysextProfile profile)
    {
        foreach (var name in (profile is SysextProfile.Kairos ? Systemds : Systemds[..1]).Select(extension.NameFor).Where(name => extension.ReleaseOf(name) is null))
        {
            var there = string.Join(" and ", extension.Releases.Select(entry => CleanText.Line(entry.Name)));
            yield return new(SysextSeverity.Error, "release-name", extension.File, ReleaseFile.Prefix + name,
                there.Length == 0 ? "It has no release file, without which systemd merges nothing" : $"Its release file is {there}, and systemd looks for the name of the extension's own file",
                there.Length == 0 ? "build it with crust sysext build" : "rename the extension, or build it under its own name");
        }

        foreach (var path in OsReleases.Where(path => extension.Tree.Find(path) is not null))
        {
            yield return new(SysextSeverity.Error, "os-release", extension.File, path, "With an os-release in it, systemd takes it for a system and refuses it", "leave it out");
        }

        if (extension.Release is { Id: null })
        {
            yield return new(SysextSeverity.Error, "release-id", extension.File, extension.Releases[0].Path, "It names no system: ID is missing", "set ID to that of the system, or to _any");
        }
    }

    private static IEnumerable<SysextFinding> OfEntry(Extension extension, TreeEntry entry, SysextProfile profile, ImmutableArray<string> hierarchies)
    {
        SysextFinding Finding(SysextSeverity severity, string rule, string what, string remedy) => new(severity, rule, extension.File, entry.Path, what, remedy);

        if (!OsReleases.Contains(entry.Path) && !hierarchies.Any(hierarchy => IsIn(entry.Path, hierarchy) || (entry.Kind is EntryKind.Folder && IsIn(hierarchy, entry.Path))))
        {
            yield return Finding(SysextSeverity.Error, "outside", $"It is outside {(profile is SysextProfile.Kairos ? "the folders that Kairos merges" : "/usr and /opt")}, so no system sees it after a merge",
                "put it below /usr; what belongs into /etc or /var is made by a file in usr/lib/tmpfiles.d");
        }

        if (entry is { Path: "usr/sbin", Kind: EntryKind.Folder } && profile is not (SysextProfile.Debian or SysextProfile.Kairos))
        {
            yield return Finding(profile is SysextProfile.Flatcar ? SysextSeverity.Error : SysextSeverity.Warning, "sbin-folder",
                "Where /usr/sbin is a link to bin (Flatcar, Fedora), a folder takes its place and hides all programs there", "put programs into usr/bin");
        }

        if (entry.Name.StartsWith(".wh.", StringComparison.Ordinal) || entry is { Kind: EntryKind.CharacterDevice, Device: (0, 0) })
        {
            yield return Finding(SysextSeverity.Error, "whiteout", "It is a whiteout, which hides a file of the system", "leave it out");
        }
        else if (entry.Kind is EntryKind.CharacterDevice or EntryKind.BlockDevice or EntryKind.Fifo)
        {
            yield return Finding(SysextSeverity.Error, "device", "It is a device or a FIFO", "leave it out; a file in usr/lib/tmpfiles.d makes such at boot");
        }

        if (Encoding.UTF8.GetByteCount(entry.Name) is > LongestName and var length)
        {
            yield return Finding(SysextSeverity.Error, "limit", $"Its name has {length} bytes, and file systems take {LongestName}", "give it a shorter name");
        }

        if (Encoding.UTF8.GetByteCount(entry.LinkTarget) is > LongestTarget and var target)
        {
            yield return Finding(SysextSeverity.Error, "limit", $"The link's target has {target} bytes, and file systems take {LongestTarget}", "let it lead to a shorter path");
        }

        foreach (var (name, value) in entry.Xattrs.Where(attribute => attribute.Value.Length > LargestXattr))
        {
            yield return Finding(SysextSeverity.Error, "limit", $"Its attribute {CleanText.Line(name)} has {value.Length} bytes, and Linux takes {LargestXattr}", "remove the attribute");
        }

        foreach (var (name, value) in entry.Xattrs.Where(attribute => attribute.Key.EndsWith("overlay.opaque", StringComparison.Ordinal)))
        {
            yield return Finding(SysextSeverity.Error, "opaque", $"It is marked as opaque ({name}={CleanText.Line(Encoding.ASCII.GetString(value.AsSpan()))}), and hides what the system has there", "remove the attribute");
        }
    }

    private static bool IsIn(string path, string folder) => path == folder || path.StartsWith(folder + "/", StringComparison.Ordinal);
}
