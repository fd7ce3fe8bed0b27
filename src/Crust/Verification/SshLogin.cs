using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Sanitizing;
using Crust.Spec;
using Renci.SshNet;
using Renci.SshNet.Common;

namespace Crust.Verification;

/// <summary>Who logs in to a booted image, with what, and what is run there.</summary>
internal sealed class SshLogin
{
    private readonly Secret? _password;
    private readonly PrivateKeyFile? _key;

    private SshLogin(string user, Secret? password, PrivateKeyFile? key) => (User, _password, _key) = (user, password, key);

    public string User { get; }

    /// <summary>The fingerprint of the key with which it logs in, as `ssh-keygen -l` prints it; null for a password.</summary>
    public string? Key => _key is null ? null : FingerprintOf(_key.HostKeyAlgorithms.First().Data);

    internal ImmutableArray<string> Checks { get; private init; } = [];

    /// <summary>The same as they may be shown.</summary>
    internal ImmutableArray<string> ShownChecks { get; private init; } = [];

    /// <summary>How it logs in, in a few words.</summary>
    internal string Way => Key is { } key ? $"key {key}" : "password";

    /// <summary>The log-in that a spec asks for; null if it asks for none, or nothing is booted.</summary>
    /// <param name="hidden">Takes secrets out of what is shown.</param>
    /// <exception cref="CrustException">The key can't be used, or there is neither a key nor a password.</exception>
    public static SshLogin? Of(BuildSpec spec, Redactor hidden)
    {
        var verify = spec.Verify;
        if (verify is not { Ssh: SshProof.Login, Boot: not VerifyBoot.False, SshUser: { } user })
        {
            return null;
        }

        var (password, key) = verify.SshKey is { } path ? ((Secret?)null, ReadKey(path, spec.WhereIs("verify.ssh.key"))) : (PasswordOf(user, spec), null);
        return new SshLogin(user, password, key) { Checks = verify.Checks, ShownChecks = [.. verify.Checks.Select(check => hidden.Line(check, int.MaxValue))] };
    }

    /// <summary>The log-in with a key; for tests that go on inside a guest.</summary>
    internal static SshLogin With(string user, string keyFile) => new(user, null, ReadKey(keyFile, "test"));

    /// <summary>A fingerprint as `ssh-keygen -l` prints it.</summary>
    internal static string FingerprintOf(byte[] publicKey) => $"SHA256:{Convert.ToBase64String(SHA256.HashData(publicKey)).TrimEnd('=')}";

    /// <summary>What SSH.NET asks the server for.</summary>
    internal ConnectionInfo ConnectTo(string host, int port) => new(host, port, User, _key is not null ? [new PrivateKeyAuthenticationMethod(User, _key)] : ByPassword(_password!));

    // PAM may ask for the password in a dialogue of its own, and only there.
    private AuthenticationMethod[] ByPassword(Secret password)
    {
        var dialogue = new KeyboardInteractiveAuthenticationMethod(User);
        dialogue.AuthenticationPrompt += (_, asked) =>
        {
            foreach (var prompt in asked.Prompts.Where(prompt => prompt.Request.Contains("assword", StringComparison.Ordinal)))
            {
                prompt.Response = password.Reveal();
            }
        };
        return [new PasswordAuthenticationMethod(User, password.Reveal()), dialogue];
    }

    private static Secret PasswordOf(string user, BuildSpec spec)
    {
        const string Remedy = "name a private key in verify.ssh.key (--verify-ssh-key)";
        var seed = spec.Seed.Ssh;
        var where = spec.WhereIs("verify.ssh");
        return seed.User != user ? throw Bad($"There is no key with which {user} could log in, and the seed gives its password only to {seed.User ?? "nobody"}", where, Remedy)
            : seed.Password ?? throw Bad(
                seed.PasswordHash is null ? $"There is neither a key nor a password with which {user} could log in" : $"There is no key with which {user} could log in, and of its password only the hash is given",
                where, $"{Remedy}, or give the password in SSH_PASSWORD or seed.ssh.passwordFile");
    }

    private static PrivateKeyFile ReadKey(string path, string where)
    {
        var place = $"{where}, {path}";
        var text = UserFile.Read(path, place, "private key's", out var bytes);
        try
        {
            return new PrivateKeyFile(new MemoryStream(bytes));
        }
        catch (Exception e) when (e is SshPassPhraseNullOrEmptyException || text.Contains("ENCRYPTED", StringComparison.Ordinal))
        {
            throw Bad("The private key has a passphrase, and nobody is there to type it", place, "make a key without one for these checks: ssh-keygen -t ed25519 -N '' -f FILE");
        }
        // What the file holds decides where its reader stumbles, and over what.
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw IsPublic(text)
                ? Bad("This is a public key, and it takes the private one to log in", place, "name the file without .pub")
                : Bad($"The file isn't a private key that can be read: {CleanText.Line(e.Message)}", place, "name a private key in OpenSSH's format or in PEM (RSA, ECDSA or Ed25519): ssh-keygen -t ed25519 -N '' -f FILE");
        }
    }

    private static bool IsPublic(string text) => CacheType.IsPublicKey(text.Trim());

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
