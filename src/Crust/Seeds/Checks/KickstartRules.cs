using Crust.Seeds.Documents;
using Crust.Seeds.Kinds;
using Crust.Seeds.Schemas;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with a kickstart file, as far as it can be seen without Anaconda.</summary>
internal static class KickstartRules
{
    public static readonly SeedRule SeveralEndings = new("several-endings", SeedSeverity.Warning,
        "Two commands of a kickstart file say how the install ends: the last one counts", "poweroff, and further down reboot", "keep one of them");

    private const string IsHash = "--iscrypted";

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Kickstart)
            yield break;

        var user = request.Files.UserData[0];
        var commands = KickstartFile.Read(user.Text, user.Path).Commands;
        var endings = commands.Where(command => KickstartSeed.Endings.Contains(command.Name)).ToList();
        foreach (var other in endings.Skip(1).Where(command => command.Name != endings[0].Name))
            yield return SeveralEndings.At(other.Place, $"'{endings[0].Name}' and '{other.Name}' both say how the install ends: the last one counts");
        switch (endings.LastOrDefault())
        {
            case { Name: "reboot" } reboot when request.Spec.Machine.OnReboot is not OnReboot.Finish:
                yield return EndingRules.Reboot.At(reboot.Place, "The installer ends with a reboot, which is taken for a failure", "use poweroff, or set machine.onReboot to finish");
                break;
            case { Name: "halt" } halt:
                yield return EndingRules.NoPoweroff.At(halt.Place, "'halt' leaves the machine on, and waits for a key until the deadline", "use poweroff");
                break;
        }

        foreach (var interactive in commands.Where(command => command.Name is "interactive" or "autostep"))
            yield return EndingRules.NoAuto.At(interactive.Place, $"'{interactive.Name}' has the installer wait for a person, until the deadline", "leave it out");
        var secretLines = KickstartSecrets.In(user.Text).Select(secret => user.Text.AsSpan(0, secret.Start).Count('\n') + 1).ToHashSet();
        foreach (var plain in commands.Where(command => secretLines.Contains(command.Place.Line) && CouldBeHash(command)))
        {
            yield return PasswordRules.PlainPassword.Warn(plain.Place, "A password stands here as it is (without --iscrypted), and on the volume, too",
                $"give its hash with --iscrypted: {(plain.Name == "bootloader" ? "grub2-mkpasswd-pbkdf2" : "openssl passwd -6")}");
        }
    }

    // What has no such option takes passphrases and the like, which have to be there as they are.
    private static bool CouldBeHash(KickstartCommand command) => KickstartLanguage.Current.Commands.GetValueOrDefault(command.Name) is { Options: { } options } word && options.ContainsKey(IsHash)
        && !command.Arguments.Any(argument => argument.StartsWith("--", StringComparison.Ordinal) && word.OptionOf(argument) == IsHash);
}
