using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Seeds.Secrets;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether passwords are hashes. No finding shows one.</summary>
internal static partial class PasswordRules
{
    public static readonly SeedRule PlainPassword = new("plain-password", SeedSeverity.Warning,
        "A password in plain text: anyone who sees the file, the image or a log of the install can log in", "plain_text_passwd: hunter2",
        "write its hash, which `openssl passwd -6` makes");

    public static readonly SeedRule PasswordHash = new("password-hash", SeedSeverity.Error,
        "Plain text where only a hash works: nobody can log in with it", "identity: {password: ubuntu}", "write its hash, which `openssl passwd -6` makes");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
    [
        .. SeedAccount.Of(request).SelectMany(account => CheckAccount(request, account)),
        .. new[] { request.CloudConfig, Find(request.Autoinstall, "user-data") }.SelectMany(CheckTop),
        .. Given(Find(request.Autoinstall, "identity")).Where(password => !IsHash(password.Value.Value))
            .Select(password => PasswordHash.At(password.Value, $"autoinstall.identity.{password.Key} isn't a hash: nobody can log in with it")),
        .. request.Spec.Seed.Kind is SeedKind.Ignition ? CheckIgnition(request.Files.UserData[0]) : [],
    ];

    private static IEnumerable<SeedFinding> CheckAccount(SeedCheckRequest request, SeedAccount account)
    {
        foreach (var (key, password) in Given(account.Keys).Where(password => password.Value.Value.Length > 0))
        {
            if (SecretNames.IsPlain(key))
                yield return PlainPassword.At(password, $"The password of '{account.Shown}' is plain text");
            else if (!IsHash(password.Value))
            {
                // Kairos takes both, and hashes what is plain; who reads it isn't always known.
                yield return account.IsCloudInit
                    ? PasswordHash.At(password, $"The password of '{account.Shown}' isn't a hash: nobody can log in with it")
                    : PlainPassword.At(password, $"The password of '{account.Shown}' is plain text{(request.Profile is null ? ", which cloud-init takes for a hash that fits nothing" : "")}");
            }
        }
    }

    private static IEnumerable<SeedFinding> CheckTop(ConfigNode? document)
    {
        if (Find(document, "password") is ConfigScalar { IsNull: false, Value.Length: > 0 } password && !IsHash(password.Value))
            yield return PlainPassword.At(password, "The default user's password is plain text");

        foreach (var line in Find(document, "chpasswd", "list") switch { ConfigList list => list.Items, ConfigScalar text => [text], _ => [] })
        {
            foreach (var secret in line is ConfigScalar { Value: var lines } ? TextSecrets.AccountLines(lines, 0, lines.Length) : [])
            {
                var text = ((ConfigScalar)line).Value;
                if (!IsHash(text.Substring(secret.Start, secret.Length)))
                    yield return PlainPassword.At(line, $"The password of '{(line is ConfigScalar { IsSecret: true } ? "…" : AccountAt(text, secret.Start))}' is plain text");
            }
        }

        foreach (var user in Find(document, "chpasswd", "users") is ConfigList users ? users.Items : [])
        {
            foreach (var (_, given) in Given(user).Where(given => !IsHash(given.Value.Value)))
                yield return PlainPassword.At(given, "The password of an account is plain text");
        }
    }

    // Ignition hands it to usermod, which asks nothing of it.
    private static IEnumerable<SeedFinding> CheckIgnition(UserDocument user) =>
        from account in Find(IgnitionConfig.Read(user.Text, user.Path).Root, "passwd", "users") is ConfigList users ? users.Items : []
        from password in Given(account)
        where !IsHash(password.Value.Value)
        select PasswordHash.At(password.Value, $"This {password.Key} isn't a hash: nobody can log in with it");

    private static IEnumerable<(string Key, ConfigScalar Value)> Given(ConfigNode? map) =>
        SeedAccount.PasswordsOf(map).Where(password => password.Value is ConfigScalar { IsNull: false }).Select(password => (password.Key, (ConfigScalar)password.Value));

    // chpasswd's lines are account:password.
    private static string AccountAt(string lines, int password)
    {
        var start = lines.LastIndexOf('\n', password) + 1;
        return lines[start..lines.IndexOf(':', start)].Trim();
    }

    /// <summary>Whether it can stand in /etc/shadow: a hash of crypt(5), or a sign that no password fits.</summary>
    private static bool IsHash(string password) => HashPattern().IsMatch(password);

    [GeneratedRegex(@"\A!{0,2}(\$[a-z0-9]+\$[^:\s]{8,}|[*!x]?)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex HashPattern();
}
