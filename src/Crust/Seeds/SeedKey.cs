using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>
/// The seed's part of the build keys. It changes with all that the installer is told, and not with what differs from build to build: the instance-id and the password's salt.
/// </summary>
/// <param name="Published">64 hex digits in which secrets are masked, so that they tell nothing of them (docs/decisions/build-key-secrets.md).</param>
/// <param name="Secrets">64 hex digits that change with secrets, too, and help to guess them: they leave this machine in no form. Null if there are none.</param>
internal sealed record SeedKey(string Published, Secret? Secrets)
{
    // Stands for the password's: which it is, the password itself says.
    private const string SomeHash = "$6$password$................";

    /// <summary>The key of the seed that <see cref="Seed.Compose"/> would make of the same. It takes no hash of the password, and no library for one.</summary>
    /// <param name="files">The files that it names.</param>
    /// <param name="profile">The family of systems; null if nobody knows.</param>
    /// <param name="installerSha256">The installer's SHA-256 in hex, by which equal secrets of builds with different installers differ in <see cref="Secrets"/>.</param>
    public static SeedKey Of(BuildSpec spec, SeedFiles files, SeedProfile? profile, string installerSha256)
    {
        var password = spec.Seed.Ssh.Password;
        var unhashed = password is null ? spec : spec with { Seed = spec.Seed with { Ssh = spec.Seed.Ssh with { Password = null, PasswordHash = new Secret(SomeHash) } } };
        var contents = SeedKinds.Compose(new SeedRequest(unhashed, files, profile, "", Guid.Empty));
        ImmutableArray<SeedDocument> documents = [.. contents.Documents.Where(document => !document.IsFresh)];
        var published = Digest(spec.Seed, contents,
            [.. documents.SelectMany(document => new[] { document.Name, SeedSecrets.Masked(document) }), .. files.ExtraFiles.SelectMany(file => new[] { file.Role, file.Keyed })]);
        var hasSecrets = password is not null || files.ExtraFiles.Any(file => !file.SecretNames.IsEmpty) || documents.Any(document => SeedSecrets.PathsIn(document).Any());
        return new SeedKey(published, !hasSecrets ? null : new Secret(Digest(spec.Seed, contents,
        [
            installerSha256,
            password?.Reveal() ?? "",
            .. documents.SelectMany(document => new[] { document.Name, document.Text }),
            .. files.ExtraFiles.SelectMany(file => new[] { file.Role, file.Sha256 }),
        ])));
    }

    private static string Digest(SeedSpec spec, SeedContents keyed, ImmutableArray<string> told)
    {
        string[] parts = [spec.Kind.LowerName(), keyed.Label is not null ? spec.FileSystem.LowerName() : "", keyed.KernelArguments, .. told];
        // With its length before it, no text can pass for the end of one and the beginning of the next.
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"seed 3 {string.Concat(parts.Select(text => $"{text.Length}:{text}"))}")));
    }
}
