using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether passwords are hashes. No finding shows one.</summary>
internal static partial class PasswordRules
{
    public static readonly SeedRule PlainPassword = new("plain-password", SeedSeverity.Warning, "A password in plain text: whoever sees the file, the image or a log of the install can log in", "plain_text_passwd: hunter2", "write its hash, which `openssl passwd -6` makes");

    public static readonly SeedRule PasswordHash = new("password-hash", SeedSeverity.Error, "Plain text where only a hash works: nobody can log in with it", "identity: {password: ubuntu}", "write its hash, which `openssl passwd -6` makes");

    private static readonly string[] PlainKeys = ["plain_text_passwd", "plain-text-passwd"];
    private static readonly string[] HashKeys = ["passwd", "hashed_passwd", "hashed-passwd"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
    [
        .. SeedAccount.Of(request).SelectMany(account => CheckAccount(request, account)),
        .. new[] { request.CloudConfig, Find(request.Autoinstall, "user-data") }.SelectMany(CheckTop),
        .. Find(request.Autoinstall, "identity", "password") is ConfigScalar { IsNull: false } password && !IsHash(password.Value)
            ? [PasswordHash.At(password, "autoinstall.identity.password isn't a hash: nobody can log in with it")]
            : Enumerable.Empty<SeedFinding>(),
    ];

    private static IEnumerable<SeedFinding> CheckAccount(SeedCheckRequest request, SeedAccount account)
    {
        foreach (var plain in Given(account.Keys, PlainKeys))
            yield return PlainPassword.At(plain, $"The password of '{account.Shown}' is plain text");
        foreach (var password in Given(account.Keys, HashKeys).Where(password => !IsHash(password.Value)))
        {
            // Kairos takes both, and hashes what is plain; who reads it isn't always known.
            yield return account.IsCloudInit
                ? PasswordHash.At(password, $"The password of '{account.Shown}' isn't a hash: nobody can log in with it")
                : PlainPassword.At(password, $"The password of '{account.Shown}' is plain text{(request.Profile is null ? ", which cloud-init takes for a hash that fits nothing" : "")}");
        }
    }

    private static IEnumerable<SeedFinding> CheckTop(ConfigNode? document)
    {
        if (Find(document, "password") is ConfigScalar { IsNull: false, Value.Length: > 0 } password && !IsHash(password.Value))
            yield return PlainPassword.At(password, "The default user's password is plain text");

        var list = Find(document, "chpasswd", "list");
        var lines = list switch
        {
            ConfigList entries => entries.Items.OfType<ConfigScalar>().Select(entry => (Node: entry, entry.Value)),
            ConfigScalar text => text.Value.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(line => (Node: text, Value: line)),
            _ => [],
        };
        foreach (var (node, line) in lines)
        {
            if (line.Split(':', 2) is [var account, { Length: > 0 } secret] && !IsHash(secret) && secret is not ("R" or "RANDOM"))
                yield return PlainPassword.At(node, $"The password of '{(node.IsSecret ? "…" : account)}' is plain text");
        }

        foreach (var user in Find(document, "chpasswd", "users") is ConfigList users ? users.Items : [])
        {
            if (Find(user, "password") is ConfigScalar { IsNull: false } given && !IsHash(given.Value))
                yield return PlainPassword.At(given, "The password of an account is plain text");
        }
    }

    private static IEnumerable<ConfigScalar> Given(ConfigMap account, string[] keys) =>
        keys.Select(key => Find(account, key)).OfType<ConfigScalar>().Where(password => !password.IsNull && password.Value.Length > 0);

    /// <summary>Whether it can stand in /etc/shadow: a hash of crypt(5), or a sign that no password fits.</summary>
    private static bool IsHash(string password) => HashPattern().IsMatch(password);

    [GeneratedRegex(@"\A!{0,2}(\$[a-z0-9]+\$[^:\s]{8,}|[*!x]?)\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex HashPattern();
}
