namespace Crust.Sysexts.Checks;

/// <summary>Whether a system merges an extension, and why.</summary>
/// <param name="File">The extension's file.</param>
internal sealed record MergeDecision(string File, bool Merges, string Reason)
{
    /// <summary>Decides as systemd 252 to 257 do (extension-util.c, extension_release_validate; SYSEXT_LEVEL is compared where both have one, VERSION_ID otherwise).</summary>
    /// <param name="host">The system's os-release.</param>
    /// <param name="architecture">The system's architecture, as systemd spells it; null where it isn't known.</param>
    /// <param name="systemd">The version of the system's systemd.</param>
    public static MergeDecision Of(Extension extension, ReleaseFile host, string? architecture, int systemd)
    {
        MergeDecision No(string reason) => new(extension.File, false, reason);

        if (extension.Tree.Find("usr/lib/os-release") is not null)
        {
            return No("it has usr/lib/os-release in it");
        }

        var name = extension.NameFor(systemd);
        if (extension.ReleaseOf(name) is not { } release)
        {
            return No($"it has no extension-release.{name}, the name that systemd {systemd} looks for");
        }

        if (release["SYSEXT_SCOPE"] is { } scope && !scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Contains("system"))
        {
            return No($"its SYSEXT_SCOPE is {scope}, and a system that runs takes system");
        }

        return release.Architecture is { } wanted && wanted != SysextPlan.AnyOs && architecture is not null && wanted != architecture ? No($"it is for {wanted}, and the system is {architecture}")
            : release.Id is not { } id ? No("its release file has no ID")
            : id == SysextPlan.AnyOs ? new(extension.File, true, "its ID is _any")
            : id != host.Id ? No($"its ID is {id}, and the system's is {host.Id ?? "missing"}")
            : OfVersion(extension.File, release, host);
    }

    private static MergeDecision OfVersion(string file, ReleaseFile release, ReleaseFile host) => (host.Level, release.Level, host.VersionId, release.VersionId) switch
    {
        (null, _, null, _) => new(file, true, $"its ID is {release.Id}, and the system has neither SYSEXT_LEVEL nor VERSION_ID"),
        ({ } its, { } own, _, _) when its == own => new(file, true, $"its ID is {release.Id} and its SYSEXT_LEVEL {own}, as the system's"),
        ({ } its, { } own, _, _) => new(file, false, $"its SYSEXT_LEVEL is {own}, and the system's is {its}"),
        (_, _, null, _) => new(file, true, $"its ID is {release.Id}, it has no SYSEXT_LEVEL, and the system has no VERSION_ID"),
        (_, { } own, { } its, null) => new(file, false, $"it has the SYSEXT_LEVEL {own} and no VERSION_ID; the system has no SYSEXT_LEVEL, and its VERSION_ID is {its}"),
        (_, null, { } its, null) => new(file, false, $"it has neither SYSEXT_LEVEL nor VERSION_ID, and the system's VERSION_ID is {its}"),
        (_, _, { } its, { } own) when its == own => new(file, true, $"its ID is {release.Id} and its VERSION_ID {own}, as the system's"),
        (_, _, { } its, { } own) => new(file, false, $"its VERSION_ID is {own}, and the system's is {its}"),
    };
}
