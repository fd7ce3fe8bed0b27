using Crust.Seeds.Documents;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with a kickstart file, as far as it can be told without Anaconda.</summary>
internal static class KickstartRules
{
    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Kickstart)
            yield break;

        var user = request.Files.UserData[0];
        var commands = KickstartFile.Read(user.Text, user.Path).Commands;
        var endings = commands.Where(command => KickstartSeed.Endings.Contains(command.Name)).ToList();
        foreach (var twice in endings.Skip(1).Where(command => command.Name != endings[0].Name))
            yield return Warn("several-endings", $"'{endings[0].Name}' and '{twice.Name}' both say how the install ends: the last one counts", twice, "keep one of them");
        switch (endings.LastOrDefault())
        {
            case { Name: "reboot" } reboot when request.Spec.Machine.OnReboot is not OnReboot.Finish:
                yield return Warn("reboot", "The installer ends with a reboot, which is taken for a failure", reboot, "use poweroff, or set machine.onReboot to finish");
                break;
            case { Name: "halt" } halt:
                yield return Warn("no-poweroff", "'halt' leaves the machine on, and waits for a key until the deadline", halt, "use poweroff");
                break;
        }

        foreach (var interactive in commands.Where(command => command.Name is "interactive" or "autostep"))
            yield return Warn("interactive", $"'{interactive.Name}' has the installer wait for a person, until the deadline", interactive, "leave it out");
        foreach (var plain in commands.Where(command => command.Name is "rootpw" or "user" && HasPlainPassword(command)))
            yield return Warn("plain-password", $"A password stands here as it is (without --iscrypted), and on the volume, too", plain, "give its hash with --iscrypted: openssl passwd -6");
    }

    private static bool HasPlainPassword(KickstartCommand command) => !command.Arguments.Contains("--iscrypted")
        && (command.Name == "user" ? command.Option("--password") is not null : command.Arguments.Any(argument => !argument.StartsWith('-')));

    private static SeedFinding Warn(string rule, string what, KickstartCommand command, string remedy) => new(SeedSeverity.Warning, rule, what, command.Place, remedy);
}
