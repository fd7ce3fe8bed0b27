using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Kinds;

/// <summary>
/// Debian's installer. It reads `/preseed.cfg` of its own initramfs before it asks anything (Debian's installation guide, appendix B.2.1: "initrd" is the
/// one method that works with every installer), so that is where the file goes. It doesn't look for one on a second volume: a path on the kernel's
/// command line must lead to something that it has mounted by then. A volume is made for the user's other files only.
/// What the spec says is added where the user's file doesn't say it.
/// </summary>
internal sealed class PreseedSeed : ISeedKind
{
    private const string Label = "PRESEED";

    // Questions that nobody answered take their defaults, as far as they have one.
    private const string WithoutQuestions = "priority=critical";

    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Preseed;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path)
    {
        PreseedFile.Read(text, path);
        return null;
    }

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request)
    {
        var user = request.Files.UserData[0];
        var file = PreseedFile.Read(user.Text, user.Path);
        var account = SpecAccount.Of(request);
        return new SeedContents
        {
            Carrier = SeedCarrier.Initramfs,
            Label = request.Spec.Seed.Files.IsEmpty ? null : Label,
            Documents = [new SeedDocument("preseed.cfg", file.With([.. Missing(file, request.Spec.Seed.Hostname, account)])) { Secrets = [.. account?.Secrets ?? [], .. user.Secrets] }],
            KernelArguments = WithoutQuestions,
            Kernel = KernelNeed.Required,
        };
    }

    private static IEnumerable<string> Missing(PreseedFile file, string? hostname, SpecAccount? account)
    {
        (string Question, string Type, string? Value)[] answers =
        [
            // What DHCP says of it would win over netcfg/get_hostname.
            ("netcfg/hostname", "string", file.AnswerTo("netcfg/get_hostname") is null ? hostname : null),
            .. account is null ? [] : AnswersOf(account, file),
            ("debian-installer/exit/poweroff", "boolean", "true"),
            // "The installation is complete", for which somebody would have to press Enter.
            ("finish-install/reboot_in_progress", "note", ""),
        ];
        return answers.Where(answer => answer.Value is not null && file.AnswerTo(answer.Question) is null)
            .Select(answer => $"d-i {answer.Question} {answer.Type} {answer.Value}".TrimEnd());
    }

    // Without an account of root's, the first account may use sudo. Where the user's file has an account of its own, it stays as it is.
    private static (string Question, string Type, string? Value)[] AnswersOf(SpecAccount account, PreseedFile file)
    {
        if (account.Name == "root")
        {
            return [("passwd/root-login", "boolean", "true"), ("passwd/root-password-crypted", "password", HasPassword(file, "root") ? null : account.HashOrLocked)];
        }

        return file.AnswerTo("passwd/username") is { } other && other.Value != account.Name ? [] :
        [
            ("passwd/root-login", "boolean", HasPassword(file, "root") ? null : "false"),
            ("passwd/make-user", "boolean", "true"),
            ("passwd/user-fullname", "string", account.Name),
            ("passwd/username", "string", account.Name),
            ("passwd/user-password-crypted", "password", HasPassword(file, "user") ? null : account.HashOrLocked),
        ];
    }

    private static bool HasPassword(PreseedFile file, string whose) =>
        file.AnswerTo($"passwd/{whose}-password") is not null || file.AnswerTo($"passwd/{whose}-password-crypted") is not null;
}
