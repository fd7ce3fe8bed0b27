using System.Collections.Immutable;
using System.Text;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Secrets;

/// <summary>Values that are secret where they stand, though their names don't say so.</summary>
internal static class SecretRules
{
    private static readonly ImmutableArray<string> PathKeys = ["path", "filename", "dest", "target", "name"];

    /// <summary>Whether all below a key is secret for where it stands.</summary>
    /// <param name="above">The keys above it, the nearest first.</param>
    /// <param name="map">The mapping that it is in.</param>
    public static bool IsByPlace(string name, ImmutableStack<string> above, ConfigMap map, ConfigNode value)
    {
        var parent = above.IsEmpty ? "" : above.Peek();
        return name switch
        {
            // curtin's storage actions; netplan's tunnels.
            "key" => Says(map, "type", "dm_crypt") || (Says(map, "mode", "wireguard") && value is ConfigScalar { Value: not ['/', ..] }),
            // netplan: keys: {private, shared}; cloud-init's ssh_keys have names of their own.
            "private" or "shared" => parent is "keys" && value is ConfigScalar,
            "pin" => value is ConfigScalar { Value: { Length: >= 4 and <= 8 } digits } && digits.All(char.IsAsciiDigit),
            // Ignition: luks[].keyFile, clevis.custom.config.
            "keyFile" or "key_file" => value is ConfigMap || (value is ConfigScalar { Value: var source } && source.StartsWith("data:", StringComparison.OrdinalIgnoreCase)),
            "config" => parent == "custom",
            // Docker's and npm's logins: base64 of user:password.
            "auth" or "_auth" => value is ConfigScalar { Value: var login } && (Login(login) is not null || !above.IsEmpty && above.Contains("auths")),
            // {name: Authorization, value: …}: HTTP headers, variables of containers.
            "value" => ConfigTree.Find(map, "name") is ConfigScalar said
                && (SecretNames.IsSecret(said.Value) || (parent is "httpHeaders" or "http_headers" or "headers" && SecretNames.IsSecretHeader(said.Value))),
            _ => parent is "headers" or "httpHeaders" or "http_headers" && value is ConfigScalar && name is not "name" && SecretNames.IsSecretHeader(name),
        };
    }

    /// <summary>Other forms of a value that is secret as a whole.</summary>
    public static IEnumerable<string> FormsOf(string name, string value)
    {
        if (name is "auth" or "_auth" && Login(value) is { } login)
            return [login, login[(login.IndexOf(':') + 1)..]];
        // A Secret's data, a binary value: what they are decoded to is what a log shows.
        return Encodings.FromBase64(value, isGzip: false) is { Length: >= 8 } text && text.All(c => !char.IsControl(c) || char.IsWhiteSpace(c))
            && text.All(c => c != '\uFFFD') ? [text, text.Trim()] : [];
    }

    /// <summary>The path that a mapping names for a file; null if it names none.</summary>
    public static string? PathIn(ConfigMap map) => PathKeys.Select(key => ConfigTree.Find(map, key)).OfType<ConfigScalar>().FirstOrDefault(path => !path.IsNull)?.Value;

    /// <summary>Whether a mapping says one thing of itself.</summary>
    public static bool Says(ConfigMap map, string key, string value) => ConfigTree.Find(map, key) is ConfigScalar said && said.Value == value;

    private static string? Login(string value)
    {
        var bytes = new byte[value.Length];
        return value.Length >= 4 && Convert.TryFromBase64String(value, bytes, out var length) && Encoding.UTF8.GetString(bytes, 0, length) is var login && login.Contains(':')
            && !login.Any(char.IsControl) ? login : null;
    }
}
