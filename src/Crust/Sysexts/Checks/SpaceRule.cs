using Crust.Spec;

namespace Crust.Sysexts.Checks;

/// <summary>Whether a system has room for extensions. Merging takes none: they are mounted as they are.</summary>
internal static class SpaceRule
{
    /// <param name="free">The free bytes of the file system that is to hold them.</param>
    public static IEnumerable<SysextFinding> Check(IReadOnlyList<Extension> extensions, long free)
    {
        var total = extensions.Sum(extension => extension.Length);
        var kept = extensions.Sum(extension => extension.Length * (SysextFile.Of(extension.File) is null ? 1 : TransferFile.Versions));
        var largest = extensions.MaxBy(extension => extension.Length)!;
        if (total > free)
        {
            yield return new(SysextSeverity.Error, "space", largest.File, "/", $"{Who(extensions)} {Size.Format(total)}, and {Size.Format(free)} are free", "make room, or leave one out");
        }
        else if (kept > free)
        {
            yield return new(SysextSeverity.Warning, "space", largest.File, "/", $"Updates keep {TransferFile.Versions} versions of each, which take {Size.Format(kept)}, and {Size.Format(free)} are free",
                "make room, or lower InstancesMax= in the transfer definitions");
        }
    }

    private static string Who(IReadOnlyList<Extension> extensions) => extensions.Count == 1 ? "It takes" : $"All {extensions.Count} of them take";
}
