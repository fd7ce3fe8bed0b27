using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Crust.Seeds.Secrets;

/// <summary>Which names say that what they name is secret: keys of documents, options, variables, HTTP headers, questions of debconf, files.</summary>
internal static partial class SecretNames
{
    // What people log in with, of which a system can keep a hash.
    private static readonly ImmutableArray<string> PasswordWords = ["password", "passwords", "passwd", "passcode", "pass", "pwd", "pw"];

    private static readonly FrozenSet<string> Words = FrozenSet.ToFrozenSet(
        [.. PasswordWords, "passphrase", "passphrases", "psk", "secret", "secrets", "token", "credential", "credentials", "creds", "wpa", "wep", "authorization", "cookie"]);

    // Words that are written together with the one before.
    private static readonly ImmutableArray<string> PasswordEndings = ["password", "passwd", "pass", "rootpw", "sshpw", "bindpw", "adminpw", "userpw", "pwd"];

    private static readonly ImmutableArray<string> Endings =
        [.. PasswordEndings, "passphrase", "secret", "token", "apikey", "authkey", "secretkey", "privatekey", "presharedkey", "wpakey", "wepkey", "accesskey", "passkey"];

    private static readonly FrozenSet<string> OtherWords = FrozenSet.ToFrozenSet(["bypass", "compass", "lowpass", "highpass", "cwd"]);

    // A key that one of these words describes isn't a public one.
    private static readonly FrozenSet<string> KindsOfKey = FrozenSet.ToFrozenSet(
        ["api", "private", "secret", "access", "encryption", "activation", "validation", "auth", "shared", "preshared", "psk", "wep", "wpa", "luks", "crypt",
            "signing", "master", "recovery", "unseal", "account", "license", "client",
            "registration", "join", "storage", "hmac", "aes", "host", "admin"]);

    // What is said of a secret beside what it is: client-key-data, passwordHash, wep_key0, password-again.
    private static readonly FrozenSet<string> Endnotes =
        FrozenSet.ToFrozenSet(["value", "data", "b64", "base64", "plain", "plaintext", "text", "crypted", "crypt", "encrypted", "hash", "hashed",
            "again", "verify", "confirm", "confirmation", "old", "new", "string", "current"]);

    // lock_passwd, allow_password, max_token: they say something about secrets.
    private static readonly FrozenSet<string> About = FrozenSet.ToFrozenSet(
        ["no", "lock", "allow", "disable", "enable", "require", "has", "is", "max", "min", "expire", "ask", "show", "skip", "permit", "num", "public", "pub", "address", "generate", "automount"]);

    // All that stands below these is secret, but for what only names it.
    private static readonly FrozenSet<string> Containers = FrozenSet.ToFrozenSet(
        ["password", "passwords", "secret", "secrets", "credential", "credentials", "creds", "token", "tokens", "privatekey", "passphrases"]);

    private static readonly FrozenSet<string> Labels = FrozenSet.ToFrozenSet(
        ["name", "names", "path", "paths", "file", "files", "type", "id", "user", "username", "login", "email", "namespace", "optional", "enabled", "mount", "mountpath",
            "defaultmode", "key", "provider", "url", "urls", "server", "registry", "host",
            "hosts", "endpoint", "domain", "insecure", "description", "format", "mode", "version", "kind", "apiversion", "expire", "audience", "expirationseconds", "subpath", "readonly"]);

    // They may hold a login, and have always been kept as secrets.
    private static readonly FrozenSet<string> Proxies = FrozenSet.ToFrozenSet(["httpProxy", "httpsProxy", "http_proxy", "https_proxy"]);

    /// <summary>Whether what a name names is secret, if it is a text.</summary>
    public static bool IsSecret(string name)
    {
        if (name.Length is 0 or > 200)
            return false;
        if (Proxies.Contains(name))
            return true;
        var words = WordsOf(name);
        var (last, before) = Subject(words);
        if (last.Length == 0)
            return false;
        return Words.Contains(last)
            || (!OtherWords.Contains(last) && Endings.Any(ending => last.EndsWith(ending, StringComparison.Ordinal)))
            || (last is "key" or "keys" && KindsOfKey.Contains(before) && !(before == "host" && words.Contains("ssh")))
            || (last == "private" && before.Length > 0);
    }

    /// <summary>Whether a secret name is that of a password, of which its reader may take the hash: not of a passphrase, a token or a key, which have to be there as they are.</summary>
    public static bool IsPassword(string name) => IsSecret(name)
        && Subject(WordsOf(name)).Last is var last && (PasswordWords.Contains(last) || PasswordEndings.Any(ending => last.EndsWith(ending, StringComparison.Ordinal)));

    /// <summary>Whether the name of a password says that it isn't a hash: `plain_text_passwd`.</summary>
    public static bool IsPlain(string name) => IsPassword(name) && WordsOf(name).Any(word => word is "plain" or "plaintext");

    /// <summary>Whether all values below a name are secret.</summary>
    public static bool IsContainer(string name) => WordsOf(name) is [.., var last] words && Containers.Contains(last) && !words.Take(words.Count - 1).Any(About.Contains);

    /// <summary>Whether a name below a secret one only says which it is, or where.</summary>
    public static bool IsLabel(string name) => Labels.Contains(name.Replace("_", "").Replace("-", "").ToLowerInvariant()) || Labels.Contains(WordsOf(name) is [.., var last] ? last : "");

    /// <summary>Whether a name is that of an HTTP header which may let somebody in: all but those of which it is known that they don't.</summary>
    public static bool IsSecretHeader(string name) => name.ToLowerInvariant() is not ("accept" or "accept-encoding" or "accept-language" or "user-agent" or "content-type" or "content-length"
            or "cache-control" or "host" or "range" or "connection" or "referer" or "pragma")
        && !name.StartsWith("if-", StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether a value can't be a secret, whatever its name: nothing, a boolean, a sign that no password fits, or the path of a file under a name that doesn't say password.</summary>
    public static bool IsHarmless(string name, string value) => value.Trim() is "" or "~" or "*" or "!" or "!!" or "x" or "!*" or "*LK*"
        || value.Trim().ToLowerInvariant() is "true" or "false" or "yes" or "no" or "on" or "off" or "null" or "none"
        || (FilePath().IsMatch(value) && WordsOf(name) is [.., "key" or "keys" or "secret" or "token" or "credential" or "credentials" or "private"]);

    // The word of a name that says what it names, and the one before it; nothing where it is about secrets, and names none.
    private static (string Last, string Before) Subject(List<string> words)
    {
        if (words.Count == 0 || (words.Count > 1 && words.Take(words.Count - 1).Any(About.Contains)))
            return ("", "");
        var end = words.Count;
        while (end > 1 && (Endnotes.Contains(words[end - 1]) || int.TryParse(words[end - 1], out _)))
            end--;
        return (words[end - 1].TrimEnd('0', '1', '2', '3', '4', '5', '6', '7', '8', '9'), end > 1 ? words[end - 2] : "");
    }

    private static List<string> WordsOf(string name) => [.. Word().Matches(name[(name.LastIndexOf('/') + 1)..]).Select(match => match.Value.ToLowerInvariant())];

    // edgeHostToken, K3S_TOKEN, client-key-data, HTTPPassword.
    [GeneratedRegex(@"[A-Z]+(?![a-z])[0-9]*[A-Z]*(?![a-z])|[A-Z]?[a-z]+[0-9]*|[0-9]+")]
    private static partial Regex Word();

    [GeneratedRegex(@"\A(file://)?(\.{0,2}/)[A-Za-z0-9._@+/-]*[A-Za-z0-9]\z", RegexOptions.ExplicitCapture)]
    private static partial Regex FilePath();
}
