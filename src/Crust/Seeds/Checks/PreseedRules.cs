using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with a preseed file, as far as it can be told without Debian's installer.</summary>
internal static class PreseedRules
{
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
            yield return Warn("reboot", "The installer ends with a reboot, which is taken for a failure", poweroff, "answer true, or leave it out; or set machine.onReboot to finish");
        foreach (var halt in Halts.Select(file.AnswerTo).OfType<PreseedAnswer>().Where(answer => answer.Value == "true"))
            yield return Warn("no-poweroff", $"{halt.Question} comes before debian-installer/exit/poweroff: the machine stays on until the deadline", halt, "leave it out");
        foreach (var plain in PlainPasswords.Select(file.AnswerTo).OfType<PreseedAnswer>().Where(answer => answer.Value.Length > 0))
            yield return Warn("plain-password", "A password stands here as it is, and in the installer's initramfs, too", plain, "give its hash as …-password-crypted: openssl passwd -6");
        if (!request.Spec.Seed.Ssh.AuthorizedKeys.IsEmpty)
            yield return new SeedFinding(SeedSeverity.Warning, "unused-setting", "Debian's installer has no question for public keys, so seed.ssh.authorizedKeys isn't told to it",
                GeneratedConfig.At(request.Spec, "seed.ssh.authorizedKeys"), "write them in preseed/late_command, below /target");
    }

    private static SeedFinding? Misshapen(PreseedAnswer answer) =>
        answer.Type.Length == 0 ? Warn("preseed-line", "This is no answer: it isn't 'owner question type value'", answer, "write it as: d-i question type value")
        : !Types.Contains(answer.Type) ? Warn("preseed-line", $"'{answer.Type}' is no type of a question", answer, Nearest.Suggest(answer.Type, Types))
        : answer is { Type: "boolean", Value: not ("true" or "false") } ? Warn("preseed-line", $"A boolean is true or false, not '{answer.Value}'", answer, "write true or false")
        : null;

    private static SeedFinding Warn(string rule, string what, PreseedAnswer answer, string remedy) => new(SeedSeverity.Warning, rule, what, answer.Place, remedy);
}
