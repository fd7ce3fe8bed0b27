using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether anybody can log in.</summary>
internal static class LoginRules
{
    public static readonly SeedRule NoLogin = new("no-login", SeedSeverity.Warning, "An account with neither a password nor a public key", "users: [{name: edge}]",
        "give it ssh_authorized_keys or a password's hash; SSH_PASSWORD or seed.ssh.authorizedKeys for the spec's account");

    public static readonly SeedRule LockedPassword = new("locked-password", SeedSeverity.Warning,
        "An account of cloud-init with a password and no public key, and without `lock_passwd: false`: cloud-init locks the password",
        "users: [{name: edge, passwd: $6$…}]", "add lock_passwd: false");

    public static readonly SeedRule NoAccount = new("no-account", SeedSeverity.Warning, "The reference system gets no account at all", "#cloud-config alone",
        "give SSH_USER with SSH_PASSWORD or seed.ssh.authorizedKeys, or users in seed.userData");

    private static readonly string[] WaysToAnAccount = ["users", "user", "ssh_authorized_keys", "password", "chpasswd"];

    private static readonly string[] LockWords = ["lock_passwd", "lock-passwd"];

    private static readonly string[] OtherWays = ["ssh_authorized_keys", "ssh-authorized-keys", "ssh_import_id", "ssh-import-id", "ssh_redirect_user", "ssh-redirect-user"];

    private static readonly string[] ForDefault = ["ssh_authorized_keys", "ssh_import_id", "password"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.CloudConfig is not { } document)
            yield break;

        var accounts = SeedAccount.Of(request).ToList();
        foreach (var group in accounts.Where(account => account.Name.Length > 0).GroupBy(account => account.Name))
        {
            if (!HasWayInElsewhere(request, document, group.Key) && !IsNamedInStage(document, group.Key) && !group.Any(account => account.HasWayIn || account.IsService))
                yield return NoLogin.At(PlaceOf(request, group.First().NameNode), $"Nobody can log in as '{group.First().Shown}'",
                    "give SSH_PASSWORD or seed.ssh.authorizedKeys, or in your file ssh_authorized_keys or a password's hash");
        }

        foreach (var account in accounts.Where(account => !account.IsService && IsLocked(account) && !HasWayInElsewhere(request, document, account.Name)))
        {
            yield return LockedPassword.At(account.NameNode, $"cloud-init locks the password of '{account.Shown}', and there is no public key: nobody can log in",
                LockWords.Any(key => Find(account.Keys, key) is not null) ? "set lock_passwd to false, or add ssh_authorized_keys" : "add lock_passwd: false to it");
        }

        // A vendor's image may have accounts of its own; the reference system has none.
        if (request.Spec is { Installer.Iso: null, Seed: { Kind: SeedKind.Nocloud, Ssh.User: null } } && !WaysToAnAccount.Any(key => Find(document, key) is not null))
            yield return NoAccount.At(Place.Of("seed.ssh.user"), "Nobody can log in to the reference system");
    }

    // Keys and passwords at the top are the default user's, for cloud-init; chpasswd names its accounts, and lifts their lock. Others may take them for all.
    private static bool HasWayInElsewhere(SeedCheckRequest request, ConfigMap document, string account)
    {
        var cloudConfig = Find(request.Autoinstall, "user-data") as ConfigMap ?? document;
        if (Find(cloudConfig, "chpasswd") is { } passwords && (!request.IsCloudInit || IsNamed(passwords, account)))
            return true;
        var forDefault = ForDefault.Any(key => Find(cloudConfig, key) is { IsNull: false });
        return forDefault && (!request.IsCloudInit || Find(cloudConfig, "users") is not ConfigList users || IsDefault(cloudConfig, account)
            || users.Items.Count(item => item is ConfigScalar) == users.Items.Length);
    }

    // `user` describes the default user, whatever its name.
    private static bool IsDefault(ConfigMap cloudConfig, string account) =>
        account == "default" || (Find(cloudConfig, "user") is ConfigMap user ? Find(user, "name") is not ConfigScalar name || name.Value == account
            : Find(cloudConfig, "user") is ConfigScalar { Value: var named } && named == account);

    private static bool IsNamed(ConfigNode passwords, string account)
    {
        var lines = Find(passwords, "list") switch
        {
            ConfigList list => list.Items.OfType<ConfigScalar>().Select(line => line.Value),
            ConfigScalar text => text.Value.Split('\n'),
            _ => [],
        };
        return lines.Any(line => line.Split(':', 2)[0].Trim() == account)
            || (Find(passwords, "users") is ConfigList users && users.Items.Any(user => Find(user, "name") is ConfigScalar name && name.Value == account));
    }

    private static bool IsLocked(SeedAccount account) => account.IsCloudInit
        && account.Passwords.Any()
        && !LockWords.Any(key => Find(account.Keys, key) is { IsNull: false } word && !IsTrue(word))
        && !OtherWays.Any(key => Find(account.Keys, key) is { IsNull: false });

    // A step `authorized_keys` of Kairos gives keys to accounts by name.
    private static bool IsNamedInStage(ConfigMap document, string account) =>
        Find(document, "stages") is ConfigMap stages
        && stages.Entries.Any(stage => stage.Value is ConfigList steps && steps.Items.Any(step => Find(step, "authorized_keys", account) is not null));

    // The account of the spec is in the document twice, once for each of its readers.
    private static Place PlaceOf(SeedCheckRequest request, ConfigNode name) => name.Place == Place.Default ? GeneratedConfig.At(request.Spec, "seed.ssh.user") : name.Place;
}
