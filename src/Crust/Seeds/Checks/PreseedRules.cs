using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with a preseed file, as far as it can be told without Debian's installer.</summary>
internal static class PreseedRules
{
    public static readonly SeedRule Line = new("preseed-line", SeedSeverity.Warning, "A line of a preseed file that isn't `owner question type value`", "d-i netcfg/enable bool true", "write it as: d-i question type value");

    private static readonly string[] Types = ["string", "boolean", "select", "multiselect", "password", "note", "text", "error", "title", "seen"];

    private static readonly string[] Halts = ["debian-installer/exit/halt", "debian-installer/exit/always_halt"];

    private static readonly string[] PlainPasswords = ["passwd/root-password", "passwd/root-password-again", "passwd/user-password", "passwd/user-password-again"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Preseed)
            yield break;

        var user = request.Files.UserData[0];
        var file = PreseedFile.Read(user.Text, user.Path);
        foreach (var answer in file.Answers)
        {
            if (Misshapen(answer) is { } finding)
                yield return finding;
        }

        if (file.AnswerTo("debian-installer/exit/poweroff") is { } poweroff && poweroff.Value != "true" && request.Spec.Machine.OnReboot is not OnReboot.Finish)
            yield return EndingRules.Reboot.At(poweroff.Place, "The installer ends with a reboot, which is taken for a failure", "answer true, or leave it out; or set machine.onReboot to finish");
        foreach (var halt in Halts.Select(file.AnswerTo).OfType<PreseedAnswer>().Where(answer => answer.Value == "true"))
            yield return EndingRules.NoPoweroff.At(halt.Place, $"{halt.Question} comes before debian-installer/exit/poweroff: the machine stays on until the deadline", "leave it out");
        foreach (var plain in PlainPasswords.Select(file.AnswerTo).OfType<PreseedAnswer>().Where(answer => answer.Value.Length > 0))
            yield return PasswordRules.PlainPassword.Warn(plain.Place, "A password stands here as it is, and in the installer's initramfs, too", "give its hash as …-password-crypted: openssl passwd -6");
        if (!request.Spec.Seed.Ssh.AuthorizedKeys.IsEmpty)
            yield return UnusedRules.Unused.At(GeneratedConfig.At(request.Spec, "seed.ssh.authorizedKeys"), "Debian's installer has no question for public keys, so seed.ssh.authorizedKeys isn't told to it",
                "write them in preseed/late_command, below /target");
    }

    private static SeedFinding? Misshapen(PreseedAnswer answer) =>
        answer.Type.Length == 0 ? Line.At(answer.Place, "This is no answer: it isn't 'owner question type value'")
        : !Types.Contains(answer.Type) ? Line.At(answer.Place, $"'{answer.Type}' is no type of a question", Nearest.Suggest(answer.Type, Types))
        : answer is { Type: "boolean", Value: not ("true" or "false") } ? Line.At(answer.Place, $"A boolean is true or false, not '{answer.Value}'", "write true or false")
        : null;
}
