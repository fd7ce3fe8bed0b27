using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using Crust.Seeds.Secrets;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with a preseed file, as far as it can be seen without Debian's installer.</summary>
internal static class PreseedRules
{
    public static readonly SeedRule Line = new("preseed-line", SeedSeverity.Warning,
        "A line of a preseed file that isn't `owner question type value`", "d-i netcfg/enable bool true", "write it as: d-i question type value");

    public static readonly SeedRule Question = new("preseed-question", SeedSeverity.Warning,
        "A question near to one of Debian's installer, or the answer's type isn't the question's", "d-i partman-auto/dsk string /dev/vda", "write the question that is meant; the message names it");

    private const string Again = "-again";

    private static readonly string[] Installer = ["d-i"];

    private static readonly string[] Halts = ["debian-installer/exit/halt", "debian-installer/exit/always_halt"];

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
        foreach (var plain in file.Answers.Where(answer => PreseedSecrets.IsSecret(answer.Question, answer.Type, answer.Value) && HasHash(answer.Question) && answer == file.AnswerTo(answer.Question)))
        {
            yield return PasswordRules.PlainPassword.Warn(plain.Place, "A password stands here as it is, and in the installer's initramfs, too",
                $"give its hash as …-password-crypted: {(plain.Question.StartsWith("grub-", StringComparison.Ordinal) ? "grub-mkpasswd-pbkdf2" : "openssl passwd -6")}");
        }

        if (!request.Spec.Seed.Ssh.AuthorizedKeys.IsEmpty)
        {
            yield return UnusedRules.Unused.At(GeneratedConfig.At(request.Spec, "seed.ssh.authorizedKeys"),
                "Debian's installer has no question for public keys, so seed.ssh.authorizedKeys doesn't reach it",
                "write them in preseed/late_command, below /target");
        }
    }

    // Of passphrases and the like there is no such question.
    private static bool HasHash(string question) => PreseedQuestions.TypeOf.ContainsKey($"{(question.EndsWith(Again, StringComparison.Ordinal) ? question[..^Again.Length] : question)}-crypted");

    private static SeedFinding? Misshapen(PreseedAnswer answer) =>
        answer.IsCutOff ? Line.At(answer.Place, "A backslash with blanks behind it doesn't continue the line: the rest of it is lost", "take away the blanks behind the backslash")
        : answer.Type.Length == 0 ? Line.At(answer.Place, "This is no answer: it isn't 'owner question type value'")
        : !PreseedQuestions.Types.Contains(answer.Type) ? Line.At(answer.Place, $"'{answer.Type}' is no type of a question", Nearest.Suggest(answer.Type, PreseedQuestions.Types))
        : answer is { Type: "boolean", Value: not ("true" or "false") } ? Line.At(answer.Place, $"A boolean is true or false, not '{answer.Value}'", "write true or false")
        : answer.Owner != "d-i" && Nearest.Find(answer.Owner, Installer) is not null ? Line.At(answer.Place, "The owner is near to 'd-i', and isn't it", "write d-i")
        : answer.Owner != "d-i" ? null
        : PreseedQuestions.TypeOf.TryGetValue(answer.Question, out var type)
            ? type == answer.Type || answer.Type == "seen" || !Differ(type, answer.Type) ? null
            : Question.At(answer.Place, $"'{answer.Question}' is of the type {type}, not {answer.Type}", $"write {type}")
        : Near(answer.Question) is { } near ? Question.At(answer.Place, $"Debian's installer has no question '{answer.Question}' that its guide names", $"did you mean '{near}'?")
        : null;

    // A text works for a list to choose from, and the other way round; a boolean or a password for nothing else.
    private static bool Differ(string type, string given) => type is "boolean" or "password" || given is "boolean" or "password";

    // Questions of one package differ in few letters, too: only one typing error counts. The numbers of local0 and its like aren't any.
    private static string? Near(string question)
    {
        var plain = string.Concat(question.Select(c => char.IsAsciiDigit(c) ? '0' : c));
        return PreseedQuestions.TypeOf.ContainsKey(plain) ? null
            : PreseedQuestions.TypeOf.Keys.FirstOrDefault(known => Math.Abs(known.Length - question.Length) <= 1 && Nearest.Distance(known, question) == 1);
    }
}
