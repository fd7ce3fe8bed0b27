using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Registries;

/// <summary>Why a registry didn't do what it was asked.</summary>
internal enum RegistryFault
{
    /// <summary>Anything that isn't one of the others.</summary>
    Other,

    /// <summary>What was asked for isn't there (404).</summary>
    Missing,

    /// <summary>A login is missing or wrong (401).</summary>
    Login,

    /// <summary>The login may not do this (403).</summary>
    Denied,

    /// <summary>The registry's certificate isn't trusted.</summary>
    Untrusted,

    /// <summary>The registry speaks plain HTTP.</summary>
    Plain,

    /// <summary>Too many requests (429).</summary>
    Busy,

    /// <summary>The registry failed (5xx).</summary>
    Broken,

    /// <summary>It can't be reached, or the connection broke off.</summary>
    Unreachable,

    /// <summary>It took nothing and gave nothing for too long.</summary>
    Stalled,

    /// <summary>It has other bytes than it was given.</summary>
    Altered,

    /// <summary>This host's file system is full.</summary>
    NoSpace,
}

/// <summary>A registry didn't do what it was asked.</summary>
internal sealed class RegistryException(RegistryFault fault, string what, string where, string remedy)
    : CrustException(FailureKind.InputOutput, what, where, remedy)
{
    public RegistryFault Fault { get; } = fault;

    /// <summary>Whether it may well go the next time.</summary>
    public bool Passes => Fault is RegistryFault.Busy or RegistryFault.Broken or RegistryFault.Unreachable or RegistryFault.Stalled;
}

internal static partial class RegistryFaults
{
    // In this order: a message may quote several layers, the innermost last. Texts of Go's net/http and of containers/image.
    private static readonly (string Pattern, RegistryFault Fault)[] Signs =
    [
        ("no space left on device|disk quota exceeded", RegistryFault.NoSpace),
        ("Digest did not match, expected|does not match provided manifest digest", RegistryFault.Altered),
        ("server gave HTTP response to HTTPS client", RegistryFault.Plain),
        ("x509:|certificate signed by unknown|tls: failed to verify|tls: bad certificate|tls: unknown certificate|certificate required", RegistryFault.Untrusted),
        (@"\b429\b|toomanyrequests|Too Many Requests", RegistryFault.Busy),
        (@"\b5\d\d (?:[A-Z][a-z]+ )|StatusCode: 5\d\d|status code(?: from registry)?:? 5\d\d|HTTP status: 5\d\d", RegistryFault.Broken),
        (@"unauthorized|invalid username/password|\b401\b|authentication required|no basic auth credentials", RegistryFault.Login),
        (@"denied|\b403\b|Forbidden", RegistryFault.Denied),
        (@"manifest unknown|name unknown|NAME_UNKNOWN|repository name not known|\b404\b|not found", RegistryFault.Missing),
        (@"connection refused|connection reset|broken pipe|no such host|i/o timeout|timeout awaiting|Client\.Timeout|EOF|no route to host"
            + "|network is unreachable|server misbehaving|use of closed network connection|TLS handshake timeout|malformed HTTP", RegistryFault.Unreachable),
    ];

    /// <param name="error">All that it said.</param>
    /// <param name="reference">What it was asked about.</param>
    public static RegistryException Of(string error, RegistryReference reference)
    {
        var words = LastWords(error);
        var fault = Signs.FirstOrDefault(sign => Regex.IsMatch(words, sign.Pattern)).Fault;
        var registry = reference.Registry;
        var (what, remedy) = fault switch
        {
            RegistryFault.NoSpace => ("No space is left for what was pulled", "free space in the cache, for instance with 'crust clean', or set CRUST_CACHE to another file system"),
            RegistryFault.Altered => ($"The registry {registry} gives other bytes than their digest says", "don't use what is there: delete it, and push it again"),
            RegistryFault.Login => ($"The registry {registry} wants a login, and none of yours is right",
                $"log in: skopeo login {registry}; or name the file with the login in publish.authFile or REGISTRY_AUTH_FILE"),
            RegistryFault.Denied => ($"The registry {registry} doesn't allow this to your login", $"log in with an account that may push to {reference.Repository}: skopeo login {registry}"),
            RegistryFault.Missing => ($"The registry {registry} doesn't have {reference}", "check the name; some registries want a repository to be made before it is pushed to"),
            RegistryFault.Untrusted => ($"The certificate of the registry {registry} isn't trusted", "put its authority's certificate into a folder as ca.crt, and name the folder in publish.certDir"),
            RegistryFault.Plain => ($"The registry {registry} speaks plain HTTP", "if that is as it should be, set publish.tls to false"),
            RegistryFault.Busy => ($"The registry {registry} has had too many requests", "try again later; what was pushed so far stays there"),
            RegistryFault.Broken => ($"The registry {registry} failed", "try again; what was pushed so far stays there. If it goes on, ask who runs the registry"),
            RegistryFault.Unreachable => ($"The registry {registry} can't be reached, or broke the connection off",
                "check its name and the network, and try again; what was pushed so far stays there"),
            _ => ($"skopeo couldn't do it with {registry}", "read skopeo's own message"),
        };
        return new RegistryException(fault, $"{what}: {words}", reference.ToString(), remedy);
    }

    /// <summary>The last thing that skopeo said, without what surrounds it in its log, and without what may be a secret in a URL.</summary>
    internal static string LastWords(string error)
    {
        var line = error.Split('\n').Select(line => line.Trim()).LastOrDefault(line => line.Length > 0) ?? "it said nothing";
        var message = MessagePattern().Match(line) is { Success: true } match ? match.Groups["text"].Value.Replace("\\\"", "\"", StringComparison.Ordinal) : line;
        message = LoginPattern().Replace(QueryPattern().Replace(message, "?…"), "://…@");
        return message.Length > 400 ? "…" + message[^400..] : message;
    }

    [GeneratedRegex(@"level=(?:fatal|error) msg=""(?<text>.*)""\z", RegexOptions.ExplicitCapture)]
    private static partial Regex MessagePattern();

    // Uploads go to signed URLs in some registries.
    [GeneratedRegex(@"(?<=://[^\s""?]*)\?[^\s""]*")]
    private static partial Regex QueryPattern();

    [GeneratedRegex(@"://[^\s""/@]+@")]
    private static partial Regex LoginPattern();
}
