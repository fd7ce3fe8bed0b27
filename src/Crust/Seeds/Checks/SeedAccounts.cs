using Crust.Seeds.Documents;
using Crust.Seeds.Secrets;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <param name="Name">Its name; empty where the document gives none.</param>
/// <param name="NameNode">Where the name stands.</param>
/// <param name="IsCloudInit">Whether it is in cloud-init's form, which locks passwords unless told otherwise.</param>
internal sealed record SeedAccount(string Name, ConfigNode NameNode, ConfigMap Keys, bool IsCloudInit)
{
    /// <summary>Its name for messages. What comes from the environment may be a secret.</summary>
    public string Shown => NameNode is ConfigScalar { IsSecret: true } ? "…" : Name;

    private static readonly string[] OtherWaysIn = ["ssh_authorized_keys", "ssh-authorized-keys", "ssh_import_id", "ssh-import-id",
        "ssh_redirect_user", "snapuser", "coreos_ssh_import_github", "coreos_ssh_import_github_users", "coreos_ssh_import_url"];

    /// <summary>Whether it has a password or a public key, right or wrong.</summary>
    public bool HasWayIn => Passwords.Select(password => password.Value).Concat(OtherWaysIn.Select(key => Find(Keys, key)))
        .Any(value => value is { IsNull: false } and not (ConfigList { Items.IsEmpty: true } or ConfigScalar { Value.Length: 0 }));

    /// <summary>What stands under the names of passwords, hashes or not.</summary>
    public IEnumerable<(string Key, ConfigNode Value)> Passwords => PasswordsOf(Keys);

    /// <summary>Whether nobody is meant to log in as it.</summary>
    public bool IsService => IsTrue(Find(Keys, "system"))
        || (Find(Keys, "shell") is ConfigScalar { Value: var shell } && (shell.EndsWith("/nologin", StringComparison.Ordinal) || shell.EndsWith("/false", StringComparison.Ordinal)));

    /// <summary>What stands in a mapping under the names of passwords, hashes or not: which these are says the one classifier of secrets.</summary>
    public static IEnumerable<(string Key, ConfigNode Value)> PasswordsOf(ConfigNode? map) =>
        map is ConfigMap { Entries: var entries } ? entries.Where(entry => entry.Name is { } name && SecretNames.IsPassword(name)).Select(entry => (entry.Name!, entry.Value)) : [];

    public static IEnumerable<SeedAccount> Of(SeedCheckRequest request) =>
    [
        .. InList(Find(request.CloudConfig, "users"), request.IsCloudInit),
        .. Find(request.CloudConfig, "user") is ConfigMap user ? [Named(user, request.IsCloudInit)] : Enumerable.Empty<SeedAccount>(),
        .. InList(Find(request.Autoinstall, "user-data", "users"), isCloudInit: true),
        .. InList(Find(request.CloudConfig, "stylus", "site", "users"), isCloudInit: false),
        .. request.MayBeKairos && Find(request.CloudConfig, "stages") is ConfigMap stages ? stages.Entries.SelectMany(stage => InStage(stage.Value)) : [],
    ];

    private static IEnumerable<SeedAccount> InList(ConfigNode? users, bool isCloudInit) =>
        users is ConfigList list ? list.Items.OfType<ConfigMap>().Select(user => Named(user, isCloudInit)) : [];

    private static IEnumerable<SeedAccount> InStage(ConfigNode stage) =>
        from step in stage is ConfigList list ? list.Items : []
        from user in Find(step, "users") is ConfigMap users ? users.Entries : []
        where user.Value is ConfigMap
        select new SeedAccount(user.Name ?? "", user.Key, (ConfigMap)user.Value, IsCloudInit: false);

    private static SeedAccount Named(ConfigMap user, bool isCloudInit) =>
        Find(user, "name") is ConfigScalar { IsNull: false } name ? new(name.Value, name, user, isCloudInit) : new("", user, user, isCloudInit);
}
