using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>For what Kairos' agent refuses to install although every key and value is one that it knows.</summary>
internal static class KairosRules
{
    public static readonly SeedRule NoAdmin = new("no-admin", SeedSeverity.Error,
        "No account in the group `admin`: Kairos' agent (3.3 and newer) refuses to install, unless `install.nousers` is true or the image has /etc/kairos/.nousers",
        "users: [{name: kairos, groups: [sudo]}]", "add groups: [admin] to an account, or set install.nousers to true")
    { WarnsOnly = "where the seed has no account at all: the ISO may bring one, or `config_url`" };

    public static readonly SeedRule SshHardening = new("ssh-hardening", SeedSeverity.Error,
        "`install.ssh_hardening` is true, and no account in `users` has `ssh_authorized_keys`: Kairos' agent refuses to install",
        "install: {ssh_hardening: true}", "give an account in users (not in a stage) ssh_authorized_keys")
    { WarnsOnly = "for a password beside the key, which nobody can log in with over SSH" };

    public static readonly SeedRule ExtraPartitions = new("extra-partitions", SeedSeverity.Error,
        "Extra partitions that Kairos' agent refuses: one without a name, or several partitions (`persistent` counts, whose default is 0) that want the rest of the disk",
        "extra-partitions: [{size: 100}]", "give each a name, and all but one a size");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) => request.Profile is SeedProfile.Kairos && request.MayBeKairos && request.CloudConfig is { } document
        ? [.. CheckAdmin(request, document), .. CheckHardening(document), .. CheckPartitions(document)]
        : [];

    // kairos-agent, pkg/config/config.go, CheckConfigForUsers: it looks at all stages, and at users, which is a stage's, too.
    private static IEnumerable<SeedFinding> CheckAdmin(SeedCheckRequest request, ConfigMap document)
    {
        var accounts = SeedAccount.Of(request).ToList();
        if (IsTrueInGo(Find(document, "install", "nousers")) || accounts.Exists(IsAdmin))
            yield break;

        if (accounts.Find(account => account.NameNode.Place.Line > 0) is { } first && Find(document, "config_url") is null)
            yield return NoAdmin.At(first.NameNode, "No account is in the group 'admin': Kairos' agent refuses to install");
        else
            yield return NoAdmin.Warn(request.Whole, "The seed has no account in the group 'admin': unless the ISO brings one, Kairos' agent refuses to install",
                "give SSH_USER, or users with groups: [admin], or set install.nousers to true");
    }

    private static bool IsAdmin(SeedAccount account) => Find(account.Keys, "primary_group") is ConfigScalar { Value: "admin" }
        || (Find(account.Keys, "groups") is ConfigList groups && groups.Items.Any(group => group is ConfigScalar { Value: "admin" }));

    // kairos-sdk, schema/root_schema.go, ValidateSemantics: it looks at users alone.
    private static IEnumerable<SeedFinding> CheckHardening(ConfigMap document)
    {
        if (Find(document, "install", "ssh_hardening") is not ConfigScalar { IsQuoted: false, Value: "true" or "True" or "TRUE" } hardening)
            yield break;

        var users = Find(document, "users") is ConfigList list ? list.Items : [];
        if (!users.Any(user => Find(user, "ssh_authorized_keys") is ConfigList { Items.IsEmpty: false }))
            yield return SshHardening.At(hardening, "install.ssh_hardening needs an account in 'users' with ssh_authorized_keys: Kairos' agent refuses to install");
        foreach (var password in users.Select(user => Find(user, "passwd")).OfType<ConfigScalar>().Where(password => password is { IsNull: false, Value.Length: > 0, Place.Line: > 0 }))
            yield return SshHardening.Warn(password.Place, "With install.ssh_hardening nobody can log in with a password over SSH", "leave the password out, if it isn't for the console");
    }

    // kairos-agent, pkg/config/config.go, CheckConfigForExtraPartitions, and pkg/implementations/spec/spec.go, checkExtraPartitionsSize.
    private static IEnumerable<SeedFinding> CheckPartitions(ConfigMap document)
    {
        var install = Find(document, "install");
        var extra = Find(install, "extra-partitions") is ConfigList list ? list.Items.OfType<ConfigMap>().ToList() : [];
        foreach (var partition in extra.Where(partition => Find(partition, "name") is null or ConfigScalar { Value: "" }))
            yield return ExtraPartitions.At(partition, "An extra partition has no name: Kairos' agent refuses to install", "give it a name");

        var rest = extra.Where(partition => IsRest(Find(partition, "size"))).ToList();
        if (rest.Count > 1)
            yield return ExtraPartitions.At(rest[1], "Two extra partitions have no size, or 0: only one can take the rest of the disk", "give all but one a size in MiB");
        else if (rest.Count == 1 && IsRest(Find(install, "partitions", "persistent", "size") ?? Find(install, "partitions.persistent.size")))
            yield return ExtraPartitions.At(rest[0], "This partition has no size, or 0, and so has the persistent one: only one can take the rest of the disk",
                "give it a size in MiB, or install.partitions.persistent.size");
    }

    private static bool IsRest(ConfigNode? size) => size is null or { IsNull: true } or ConfigScalar { Value: "0" };

    private static bool IsTrueInGo(ConfigNode? node) => node is ConfigScalar { Value: "true" or "True" or "TRUE" or "yes" or "on" or "y" or "Y" };
}
