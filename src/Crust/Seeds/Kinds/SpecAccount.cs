using System.Collections.Immutable;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Kinds;

/// <summary>The account that a spec asks for, for installers with words of their own for it.</summary>
/// <param name="Hash">Its password's hash; null for none. A secret.</param>
/// <param name="Keys">The public keys that may log in as it.</param>
internal sealed record SpecAccount(string Name, string? Hash, ImmutableArray<string> Keys)
{
    /// <summary>The account; null if the spec asks for none.</summary>
    /// <exception cref="CrustException">The host lacks what is needed to hash the password.</exception>
    public static SpecAccount? Of(SeedRequest request)
    {
        var ssh = request.Spec.Seed.Ssh;
        return ssh.User is null ? null : new SpecAccount(
            ssh.User,
            ssh.PasswordHash?.Reveal() ?? (ssh.Password is { } password ? Sha512Crypt.Hash(password.Reveal(), request.Salt) : null),
            ssh.AuthorizedKeys);
    }

    public ImmutableArray<string> Secrets => Hash is null ? [] : [Hash];

    /// <summary>The password's hash, or what no password has as its hash.</summary>
    public string HashOrLocked => Hash ?? "!";

    /// <summary>Where the spec got the account from.</summary>
    public static Place PlaceIn(SeedRequest request) => GeneratedConfig.At(request.Spec, "seed.ssh.user");
}
