using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether the install begins by itself and ends in a way that Crust takes for its end.</summary>
internal static class EndingRules
{
    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Nocloud || request.Contents.Documents.FirstOrDefault()?.Tree is not { } document)
            yield break;

        var install = Find(document, "install");
        var (reboot, poweroff) = (Find(install, "reboot"), Find(install, "poweroff"));
        if (IsTrue(reboot) && IsTrue(poweroff))
            yield return Warn("reboot-and-poweroff", "install.reboot and install.poweroff are both true: reboot wins, as in Kairos", reboot!, "keep poweroff alone");
        if (IsTrue(reboot) && request.Spec.Machine.OnReboot != OnReboot.Finish)
            yield return Warn("reboot", "install.reboot is true, so the installer ends with a reboot, which is taken for a failure", reboot!, "use install.poweroff, or set machine.onReboot to finish");
        if (!IsTrue(reboot) && !IsTrue(poweroff))
            yield return Warn("no-poweroff", "Neither install.poweroff nor install.reboot is true: the installer may wait for a key until the deadline", poweroff ?? install ?? document, "set install.poweroff to true");
        if (Find(install, "auto") is { } auto && !IsTrue(auto))
            yield return Warn("no-auto", "install.auto isn't true: the installer may wait for a person until the deadline", auto, "set install.auto to true");
    }

    private static SeedFinding Warn(string rule, string what, ConfigNode node, string remedy) => new(SeedSeverity.Warning, rule, what, node.Place, remedy);
}
