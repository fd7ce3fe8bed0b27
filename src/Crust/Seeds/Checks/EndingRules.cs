using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether the install begins by itself and ends in a way that Crust takes for its end.</summary>
internal static class EndingRules
{
    public static readonly SeedRule Both = new("reboot-and-poweroff", SeedSeverity.Warning, "`install.reboot` and `install.poweroff` are both true: reboot wins, as in Kairos",
        "install: {reboot: true, poweroff: true}", "keep poweroff alone");

    public static readonly SeedRule Reboot = new("reboot", SeedSeverity.Warning, "The installer ends with a reboot, which is taken for a failure unless `machine.onReboot` is finish",
        "install: {reboot: true}",
        "let the installer power off, or set machine.onReboot to finish");

    public static readonly SeedRule NoPoweroff = new("no-poweroff", SeedSeverity.Warning, "Nothing makes the installer power off or reboot: it may wait for a key until the deadline",
        "install: {poweroff: false}", "set install.poweroff to true");

    public static readonly SeedRule NoAuto = new("no-auto", SeedSeverity.Warning, "The install may wait for a person until the deadline", "install: {auto: false}", "set install.auto to true");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) => request.Spec.Seed.Kind switch
    {
        SeedKind.Nocloud or SeedKind.Embedded when request.CloudConfig is { } document => CheckInstall(request, document),
        SeedKind.Autoinstall when request.Autoinstall is { } autoinstall => CheckShutdown(request, autoinstall),
        _ => [],
    };

    private static IEnumerable<SeedFinding> CheckInstall(SeedCheckRequest request, ConfigMap document)
    {
        var install = Find(document, "install");
        var (reboot, poweroff) = (Find(install, "reboot"), Find(install, "poweroff"));
        if (IsTrue(reboot) && IsTrue(poweroff))
            yield return Both.At(reboot!, "install.reboot and install.poweroff are both true: reboot wins, as in Kairos");
        if (IsTrue(reboot) && request.Spec.Machine.OnReboot != OnReboot.Finish)
            yield return Reboot.At(reboot!, "install.reboot is true, so the installer ends with a reboot, which is taken for a failure", "use install.poweroff, or set machine.onReboot to finish");
        if (!IsTrue(reboot) && !IsTrue(poweroff) && !IsQuoted(poweroff))
            yield return NoPoweroff.At(poweroff ?? install ?? document, "Neither install.poweroff nor install.reboot is true: the installer may wait for a key until the deadline");
        if (Find(install, "auto") is { } auto && !IsTrue(auto) && !IsQuoted(auto))
            yield return NoAuto.At(auto, "install.auto isn't true: the installer may wait for a person until the deadline");
    }

    // "true" is told as of a wrong type, and is meant to be true.
    private static bool IsQuoted(ConfigNode? node) => node is ConfigScalar { IsQuoted: true };

    private static IEnumerable<SeedFinding> CheckShutdown(SeedCheckRequest request, ConfigMap autoinstall)
    {
        if (Find(autoinstall, "shutdown") is not ConfigScalar shutdown)
            yield return NoPoweroff.At(autoinstall, "autoinstall.shutdown isn't there: the installer reboots, or waits for a key", "set autoinstall.shutdown to poweroff");
        else if (shutdown.Value == "reboot" && request.Spec.Machine.OnReboot != OnReboot.Finish)
            yield return Reboot.At(shutdown, "autoinstall.shutdown is reboot, so the installer ends with a reboot, which is taken for a failure", "set it to poweroff, or machine.onReboot to finish");
        if (Find(autoinstall, "interactive-sections") is ConfigList { Items.IsEmpty: false } sections)
            yield return NoAuto.At(sections, "autoinstall.interactive-sections isn't empty: the installer waits for a person until the deadline", "leave it out");
    }
}
