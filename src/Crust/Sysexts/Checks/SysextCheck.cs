using System.Collections.Immutable;
using Crust.Trees;

namespace Crust.Sysexts.Checks;

/// <summary>The rules for extensions: docs/sysext.md lists them.</summary>
internal static class SysextCheck
{
    /// <summary>What the rules object to in one extension, errors first.</summary>
    /// <param name="host">The os-release of the system that it is to work on; null where none is known beside what the extension says.</param>
    public static ImmutableArray<SysextFinding> Check(Extension extension, SysextProfile profile, ReleaseFile? host = null) =>
    [
        .. new[] { LayoutRules.Check(extension, profile), UnitRules.Check(extension), WrappedRoots.Check(extension, part => ProgramRules.Check(part, host)) }
            .SelectMany(findings => findings).OrderByDescending(finding => finding.Severity),
    ];

    /// <summary>The paths that several extensions have, other than folders: one hides the other.</summary>
    public static ImmutableArray<SysextFinding> Collisions(IReadOnlyList<Extension> extensions)
    {
        var findings = ImmutableArray.CreateBuilder<SysextFinding>();
        var owners = new Dictionary<string, (Extension Extension, TreeEntry Entry)>(StringComparer.Ordinal);
        foreach (var (extension, entry) in extensions.SelectMany(extension => extension.Tree.Entries.Select(entry => (extension, entry))))
        {
            if (!owners.TryAdd(entry.Path, (extension, entry)) && owners[entry.Path] is var (owner, first) && (entry.Kind, first.Kind) is not (EntryKind.Folder, EntryKind.Folder))
            {
                findings.Add(new(SysextSeverity.Error, "collision", extension.File, entry.Path, $"{owner.File} has it, too; after a merge only one of the two is seen", "build one of them without it, or don't merge both"));
            }
        }

        return findings.ToImmutable();
    }
}
