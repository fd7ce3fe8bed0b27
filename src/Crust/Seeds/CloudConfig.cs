using Crust.Spec;
using YamlDotNet.RepresentationModel;
using static Crust.Seeds.YamlTree;

namespace Crust.Seeds;

/// <summary>The cloud-config that an installer reads: what Crust generates, and the user's file merged over it.</summary>
internal static class CloudConfig
{
    private static readonly string[] Headers = ["#cloud-config", "#kairos-config", "#node-config"];

    // Keys of cloud-init's users with which somebody can log in.
    private static readonly string[] WaysIn = ["passwd", "hashed_passwd", "plain_text_passwd", "ssh_authorized_keys", "ssh_import_id"];

    private static readonly string[] WaysToAnAccount = ["users", "user", "ssh_authorized_keys", "password", "chpasswd"];

    /// <summary>Reads a user's cloud-config.</summary>
    /// <param name="text">The file's content.</param>
    /// <param name="file">What the user calls it, for messages.</param>
    /// <exception cref="CrustException">It has no header, isn't YAML, or isn't a mapping.</exception>
    public static YamlMappingNode Read(string text, string file)
    {
        var first = text.Split('\n', 2)[0].TrimEnd();
        if (first.Replace(" ", "") == "##template:jinja")
            throw Bad("A Jinja template can't be merged", $"{file}:1:1", "write out what it would make");
        if (!Headers.Contains(first))
            throw Bad("The user-data file doesn't begin with a cloud-config header", $"{file}:1:1", "make #cloud-config its first line");

        var root = YamlText.Parse(text, file);
        if (root is null || YamlText.IsNull(root))
            return new YamlMappingNode();
        return Resolve(root, file) as YamlMappingNode
            ?? throw Bad("The user-data isn't a mapping", YamlText.At(file, root.Start), "write keys and values, such as: hostname: edge-1");
    }

    /// <summary>The document that a spec stands for, with the user's own merged over it.</summary>
    /// <param name="seed">What is told to the installer.</param>
    /// <param name="user">The user's document.</param>
    /// <param name="salt">The salt of the password's hash.</param>
    public static YamlMappingNode Compose(SeedSpec seed, YamlMappingNode user, string salt) =>
        (YamlMappingNode)Merge(Generate(seed, user, salt), user);

    /// <summary>The document as text: `#cloud-config` and YAML.</summary>
    public static string ToText(YamlMappingNode document) =>
        "#cloud-config\n" + (document.Children.Count == 0 ? "{}\n" : YamlWriter.Write(document));

    /// <summary>What its user should know about a composed document.</summary>
    public static IEnumerable<string> Warnings(BuildSpec spec, YamlMappingNode document)
    {
        var (seed, onReboot) = (spec.Seed, spec.Machine.OnReboot);
        var reboot = IsTrue(Find(document, "install", "reboot"));
        var poweroff = IsTrue(Find(document, "install", "poweroff"));
        if (reboot && poweroff)
            yield return "The user-data sets both install.reboot and install.poweroff: reboot wins, as in Kairos";
        if (reboot && onReboot != OnReboot.Finish)
            yield return "The user-data sets install.reboot, so the installer ends with a reboot: set machine.onReboot to finish, or use install.poweroff";
        if (!reboot && !poweroff)
            yield return "The user-data leaves neither install.poweroff nor install.reboot true: the installer may wait for a key until the deadline";
        if (Find(document, "install", "auto") is { } auto && !IsTrue(auto))
            yield return "The user-data sets install.auto to something other than true: the installer may wait for a person until the deadline";
        if (seed.Ssh is { User: not null, Password: null, AuthorizedKeys.IsEmpty: true } && !CanLogIn(document, seed.Ssh.User))
            yield return $"Nobody can log in as '{seed.Ssh.User}': give SSH_PASSWORD or seed.ssh.authorizedKeys";
        // A vendor's image may have accounts of its own; the reference system has none.
        if (spec.Installer.Iso is null && seed.Ssh.User is null && !WaysToAnAccount.Any(key => Find(document, key) is not null))
            yield return "Nobody can log in to the reference system: give SSH_USER with SSH_PASSWORD or seed.ssh.authorizedKeys, or users in seed.userData";
    }

    private static YamlMappingNode Generate(SeedSpec seed, YamlMappingNode user, string salt)
    {
        // Both are asked of the user's file: where it asks for a reboot alone, a poweroff beside it would only mislead its reader.
        var rebootsOnly = IsTrue(Find(user, "install", "reboot")) && Find(user, "install", "poweroff") is null;
        var ssh = seed.Ssh;
        var hash = ssh is { User: not null, Password: not null } ? Sha512Crypt.Hash(ssh.Password.Reveal(), salt) : null;
        var site = Map(
            ("paletteEndpoint", Optional(seed.Palette.Endpoint)),
            ("registrationURL", Optional(seed.Palette.RegistrationUrl)),
            ("edgeHostToken", Optional(seed.Palette.EdgeHostToken?.Reveal())));
        return Map(
            ("install", Map(("auto", Flag(true)), ("device", Text("auto")), ("poweroff", rebootsOnly ? null : Flag(true)))),
            ("stylus", site.Children.Count == 0 ? null : Map(("site", site))),
            ("users", ssh.User is null ? null : List(CloudInitUser(ssh, hash))),
            ("ssh_pwauth", hash is null ? null : Flag(true)),
            ("stages", ssh.User is null ? null : Map(("initramfs", List(Map(("users", Map((Text(ssh.User), KairosUser(ssh, hash))))))))));
    }

    // cloud-init, module "Users and Groups". Without a password the account's is locked, which is cloud-init's default.
    private static YamlMappingNode CloudInitUser(SshSpec ssh, string? hash) => Map(
        ("name", Text(ssh.User!)),
        ("groups", List(Text("sudo"))),
        ("sudo", Text("ALL=(ALL) NOPASSWD:ALL")),
        ("shell", Text("/bin/bash")),
        ("lock_passwd", Flag(hash is null)),
        ("passwd", Optional(hash)),
        ("ssh_authorized_keys", Keys(ssh)));

    // Kairos and stylus create accounts in a stage. Theirs has an empty password, not a locked one, unless told otherwise.
    private static YamlMappingNode KairosUser(SshSpec ssh, string? hash) => Map(
        ("groups", List(Text("sudo"))),
        ("passwd", Optional(hash)),
        ("lock_passwd", hash is null ? Flag(true) : null),
        ("ssh_authorized_keys", Keys(ssh)));

    private static YamlSequenceNode? Keys(SshSpec ssh) => ssh.AuthorizedKeys.IsEmpty ? null : List(ssh.AuthorizedKeys.Select(Text));

    private static YamlScalarNode? Optional(string? value) => value is null ? null : Text(value);

    // The user's file may bring what the spec doesn't.
    private static bool CanLogIn(YamlMappingNode document, string user) =>
        Find(document, "ssh_authorized_keys") is not null
        || Find(document, "chpasswd") is not null
        || (Find(document, "users") as YamlSequenceNode ?? []).Any(entry =>
            Find(entry, "name") is YamlScalarNode { Value: { } name } && name == user
            && WaysIn.Any(key => Find(entry, key) is not null));

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
