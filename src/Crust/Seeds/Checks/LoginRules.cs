using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether anybody can log in.</summary>
internal static class LoginRules
{
    // Keys of cloud-init's users with which somebody can log in.
    private static readonly string[] WaysIn = ["passwd", "hashed_passwd", "plain_text_passwd", "ssh_authorized_keys", "ssh_import_id"];

    private static readonly string[] WaysToAnAccount = ["users", "user", "ssh_authorized_keys", "password", "chpasswd"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        var spec = request.Spec;
        if (spec.Seed.Kind is not SeedKind.Nocloud || request.Contents.Documents.FirstOrDefault()?.Tree is not { } document)
            yield break;

        if (spec.Seed.Ssh is { User: { } user, Password: null, PasswordHash: null, AuthorizedKeys.IsEmpty: true } && !CanLogIn(document, user))
            yield return new(SeedSeverity.Warning, "no-login", $"Nobody can log in as '{user}'", GeneratedConfig.At(spec, "seed.ssh.user"), "give SSH_PASSWORD or seed.ssh.authorizedKeys");
        // A vendor's image may have accounts of its own; the reference system has none.
        if (spec.Installer.Iso is null && spec.Seed.Ssh.User is null && !WaysToAnAccount.Any(key => Find(document, key) is not null))
            yield return new(SeedSeverity.Warning, "no-account", "Nobody can log in to the reference system", Place.Of("seed.ssh.user"),
                "give SSH_USER with SSH_PASSWORD or seed.ssh.authorizedKeys, or users in seed.userData");
    }

    // The user's file may bring what the spec doesn't.
    private static bool CanLogIn(ConfigNode document, string user) =>
        Find(document, "ssh_authorized_keys") is not null
        || Find(document, "chpasswd") is not null
        || (Find(document, "users") is ConfigList users && users.Items.Any(entry =>
            Find(entry, "name") is ConfigScalar { Value: var name } && name == user && WaysIn.Any(key => Find(entry, key) is not null)));
}
