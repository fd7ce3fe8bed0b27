namespace Crust.Sysexts.Checks;

/// <summary>The glibc of releases that extensions are built for.</summary>
internal static class KnownGlibc
{
    private static readonly (string Id, string Release, Version Glibc)[] All = [("debian", "11", new(2, 31)), ("debian", "12", new(2, 36)), ("debian", "13", new(2, 41))];

    /// <summary>The glibc of a system; null where it isn't known.</summary>
    public static Version? Of(ReleaseFile release) => All.FirstOrDefault(known => known.Id == release.Id && known.Release == release.VersionId).Glibc;

    /// <summary>The releases whose glibc is older than that, for messages.</summary>
    public static IReadOnlyList<string> OlderThan(Version wanted) => [.. All.Where(known => known.Glibc < wanted).Select(known => $"{known.Id} {known.Release} has {known.Glibc}")];
}
