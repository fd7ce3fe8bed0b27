using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Kinds;

/// <summary>
/// Ubuntu's installer ("Autoinstall configuration reference manual", "Providing autoinstall configuration"): `autoinstall:` in the user-data of a NoCloud
/// volume. Keys beside `autoinstall` are cloud-init's, and configure the live system that installs.
/// </summary>
internal sealed class AutoinstallSeed : ISeedKind
{
    // "Zero-touch deployment with autoinstall": without it, the installer asks before it writes.
    private const string WithoutQuestion = "autoinstall";

    /// <inheritdoc/>
    public SeedKind Kind => SeedKind.Autoinstall;

    /// <inheritdoc/>
    public ConfigMap? Read(string text, string path)
    {
        var root = text.StartsWith('#') && CloudConfig.IsMarked(text) ? CloudConfig.Read(text, path) : ConfigReader.Read(text, path);
        return root switch
        {
            ConfigMap map when map.Entries.FirstOrDefault(entry => entry.Name == "autoinstall") is { } wrapped => wrapped.Value is ConfigMap or { IsNull: true }
                ? map
                : throw Bad("'autoinstall' isn't a mapping", $"{wrapped.Value.Place}", "write the installer's keys below it, such as: version: 1", "not-a-mapping"),
            ConfigMap map when Find(map, "version") is not null => Map(("autoinstall", map)),
            _ => throw Bad("This is no autoinstall configuration: it has neither 'autoinstall' nor, as its content without it, 'version'", $"{root?.Place.ToString() ?? $"{path}:1:1"}",
                "begin it with 'autoinstall:', and 'version: 1' below that", "no-autoinstall"),
        };
    }

    /// <inheritdoc/>
    public SeedContents Compose(SeedRequest request)
    {
        // Ubuntu's installer takes one document, and cloud-init would let the last one replace the others: files of one configuration are put together.
        var user = request.Files.Merged(profile: null);
        return NocloudSeed.Of(KairosMerge.Merge(Generated(request, Find(user, "autoinstall")), user), request) with
        {
            KernelArguments = WithoutQuestion,
            Kernel = KernelNeed.Wanted,
        };
    }

    private static ConfigMap Generated(SeedRequest request, ConfigNode? user)
    {
        var spec = request.Spec;
        var hostname = spec.Seed.Hostname is { } name ? Text(name, GeneratedConfig.At(spec, "seed.hostname")) : null;
        var account = SpecAccount.Of(request);
        var userIdentity = Find(user, "identity");
        // An identity needs all three. Else cloud-init makes the account at the first boot, as it would without the installer.
        var isIdentity = userIdentity is null && account?.Hash is not null && hostname is not null;
        var isUsersIdentity = account is not null && (Find(userIdentity, "username") as ConfigScalar)?.Value == account.Name;
        return Map(("autoinstall", Map(
            ("version", new ConfigScalar("1", YamlDotNet.Core.ScalarStyle.Plain, Place.Default)),
            ("identity", isIdentity ? Identity(account!, hostname!, request) : userIdentity is ConfigMap ? Map(("hostname", hostname)) : null),
            ("ssh", account is null ? null : Ssh(account, isIdentity || isUsersIdentity, request)),
            ("user-data", isIdentity || isUsersIdentity ? null : UserData(request, userIdentity is null ? hostname : null)),
            ("shutdown", new ConfigScalar("poweroff", YamlDotNet.Core.ScalarStyle.Plain, Place.Default)))));
    }

    private static ConfigMap Identity(SpecAccount account, ConfigScalar hostname, SeedRequest request) => Map(
        ("hostname", hostname),
        ("username", Text(account.Name, SpecAccount.PlaceIn(request))),
        ("password", SecretText(account.Hash!, GeneratedConfig.At(request.Spec, "seed.ssh.password", "seed.ssh.passwordFile", "seed.ssh.passwordHash"))));

    // Keys that are given here belong to the identity's account.
    private static ConfigMap Ssh(SpecAccount account, bool hasKeys, SeedRequest request) => Map(
        ("install-server", Flag(true, Place.Default)),
        ("authorized-keys", hasKeys && !account.Keys.IsEmpty ? List(account.Keys.Select(key => Text(key, GeneratedConfig.At(request.Spec, "seed.ssh.authorizedKeys")))) : null),
        ("allow-pw", Flag(account.Hash is not null, Place.Default)));

    // The same account as for an installed system that cloud-init configures.
    private static ConfigMap? UserData(SeedRequest request, ConfigScalar? hostname)
    {
        var ofSystem = GeneratedConfig.Of(request with { Profile = SeedProfile.Debian }, ConfigMap.Empty);
        var made = Map(("hostname", hostname), ("users", Find(ofSystem, "users")), ("ssh_pwauth", Find(ofSystem, "ssh_pwauth")));
        return made.Entries.IsEmpty ? null : made;
    }

    private static CrustException Bad(string what, string where, string remedy, string rule) => new(FailureKind.BadInput, what, where, remedy) { Rule = rule };
}
