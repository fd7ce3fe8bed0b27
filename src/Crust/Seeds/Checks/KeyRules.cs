using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether the keys that may log in are public keys, whole and in OpenSSH's format (sshd(8), AUTHORIZED_KEYS FILE FORMAT).</summary>
internal static partial class KeyRules
{
    public static readonly SeedRule PrivateKey = new("private-key", SeedSeverity.Error, "A private key where a public one belongs: it would be in every image",
        "ssh_authorized_keys: [\"-----BEGIN OPENSSH PRIVATE KEY-----…\"]", "give the one line of the .pub file, and make a new pair of keys if the file was shared");

    public static readonly SeedRule PublicKey = new("public-key", SeedSeverity.Error, "A public key that isn't one, or isn't whole: nobody can log in with it",
        "ssh_authorized_keys: [ssh-ed25519 AAAA…]", "give the one line of the .pub file");

    private static readonly string[] Lists = ["ssh_authorized_keys", "ssh-authorized-keys"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
        from key in KeysOf(request)
        let finding = Check(request, key)
        where finding is not null
        select finding;

    private static SeedFinding? Check(SeedCheckRequest request, ConfigScalar key)
    {
        var text = key.Value.Trim();
        if (text.Contains("PRIVATE KEY", StringComparison.Ordinal))
            return PrivateKey.At(key, "This is a private key");
        // Kairos fetches keys of GitHub, of GitLab and from a URL by itself (yip, pkg/plugins/ssh.go); templates are filled in later.
        if (text.Length == 0 || (!request.IsCloudInit && (FetchedPattern().IsMatch(text) || text.Contains("{{", StringComparison.Ordinal))))
            return null;

        var match = KeyPattern().Match(text);
        return !match.Success ? PublicKey.At(key, "This isn't a public key in OpenSSH's format")
            : IsWhole(match.Groups["type"].Value, match.Groups["blob"].Value) ? null
            : PublicKey.At(key, "This public key isn't whole, or is of another type than it says");
    }

    // The blob begins with its own type, and is made of parts with their length before each (RFC 4253, section 6.6).
    private static bool IsWhole(string type, string base64)
    {
        var blob = new byte[base64.Length];
        if (!Convert.TryFromBase64String(base64, blob, out var length))
            return false;

        var rest = blob.AsSpan(0, length);
        string? first = null;
        while (rest.Length >= 4)
        {
            var part = BinaryPrimitives.ReadUInt32BigEndian(rest);
            if (part > rest.Length - 4)
                return false;
            first ??= Encoding.ASCII.GetString(rest.Slice(4, (int)part));
            rest = rest[(4 + (int)part)..];
        }

        return rest.Length == 0 && (first == type || type.EndsWith("-cert-v01@openssh.com", StringComparison.Ordinal));
    }

    private static IEnumerable<ConfigScalar> KeysOf(SeedCheckRequest request)
    {
        var userData = Find(request.Autoinstall, "user-data");
        IEnumerable<ConfigNode?> lists =
        [
            .. SeedAccount.Of(request).SelectMany(account => Lists.Select(list => Find(account.Keys, list))),
            .. Lists.SelectMany(list => new[] { Find(request.CloudConfig, list), Find(userData, list) }),
            Find(request.Autoinstall, "ssh", "authorized-keys"),
            .. Find(request.CloudConfig, "stages") is ConfigMap stages
                ? stages.Entries.SelectMany(stage => stage.Value is ConfigList steps ? steps.Items : [])
                    .SelectMany(step => Find(step, "authorized_keys") is ConfigMap keys ? keys.Entries.Select(entry => entry.Value) : [])
                : [],
        ];
        // Keys of the spec were looked at when it was read.
        return lists.OfType<ConfigList>().SelectMany(list => list.Items).OfType<ConfigScalar>().Where(key => key.Place.Line > 0);
    }

    [GeneratedRegex(@"\A(github|gitlab|https?):\S+\z")]
    private static partial Regex FetchedPattern();

    [GeneratedRegex(@"\A([^\r\n]*[ \t])?(?<type>(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+)[ \t]+(?<blob>AAAA[A-Za-z0-9+/]+={0,2})([ \t][^\r\n]*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex KeyPattern();
}
