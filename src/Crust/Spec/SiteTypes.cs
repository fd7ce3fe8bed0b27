using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The keys of the spec's section `site`, and what their values have to be.</summary>
internal static partial class SiteTypes
{
    private const int MostFiles = 64;
    private const int MostMirrors = 64;

    private static readonly ValueType<string?> Proxy = new("URL", given => ProxyOf(given.Single.Text, given.Where), value => value, () => new JsonObject { ["type"] = "string" });

    private static readonly ValueType<string?> Without = new("HOSTS", given => WithoutOf(given.Single.Text, given.Where), value => value, () => new JsonObject { ["type"] = "string" });

    private static readonly ValueType<ImmutableSortedDictionary<string, string>> Mirrors = new(
        "HOST=URL",
        given => given.Items.Length > MostMirrors
            ? throw new CrustException(FailureKind.BadInput, $"There are {given.Items.Length} mirrors, and at most {MostMirrors} may be", given.Where, "leave some out")
            : MirrorsOf(given.Items.Select(item => item.Text), given.Where),
        _ => null,
        () => new JsonObject { ["type"] = "array", ["items"] = new JsonObject { ["type"] = "string", ["pattern"] = "^[^=]+=https?://[^ ]+$" }, ["maxItems"] = MostMirrors })
    { IsList = true };

    public static IEnumerable<SpecKey> All()
    {
        static BuildSpec With(BuildSpec s, Func<SiteSpec, SiteSpec> change) => s with { Site = change(s.Site) };
        return
        [
            SpecKey.Of("site.httpProxy", Proxy, s => s.Site.HttpProxy, (s, v) => With(s, site => site with { HttpProxy = v }),
                "The proxy for http URLs of the system that an installer from a base installs, and of what runs while it is made. Without a login: the medium shows it."),
            SpecKey.Of("site.httpsProxy", Proxy, s => s.Site.HttpsProxy, (s, v) => With(s, site => site with { HttpsProxy = v }), "The same for https URLs."),
            SpecKey.Of("site.noProxy", Without, s => s.Site.NoProxy, (s, v) => With(s, site => site with { NoProxy = v }),
                "What is reached without a proxy, with commas between: names, addresses, networks."),
            SpecKey.Of("site.certificates", ListType.Of(ValueTypes.Given(ValueTypes.FilePath), MostFiles), s => s.Site.Certificates, (s, v) => With(s, site => site with { Certificates = v }),
                "Files with certificates of authorities (PEM, DER) that the system trusts, at most 64; its own update-ca-certificates or update-ca-trust runs."),
            SpecKey.Of("site.registryMirrors", Mirrors, s => s.Site.Mirrors, (s, v) => With(s, site => site with { Mirrors = v }),
                "Mirrors of registries for containerd, k3s and RKE2 of the system: docker.io=https://mirror.example.org."),
        ];
    }

    /// <summary>A proxy's URL.</summary>
    /// <exception cref="CrustException">It is none, or has a login.</exception>
    public static string ProxyOf(string text, string where) => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0 && IsPlain(text)
        ? url.UserInfo.Length == 0 ? text
            // Not shown: it is a secret.
            : throw new CrustException(FailureKind.BadInput, "A proxy with a login can't be put into a system, whose medium shows it to everybody", where,
                "name a proxy without a login here, and give the login to each machine by its user-data")
        : throw new CrustException(FailureKind.BadInput, "This is no proxy's URL", where, "write http://HOST:PORT");

    /// <summary>What is reached without a proxy.</summary>
    /// <exception cref="CrustException">It can't be written into a file of variables.</exception>
    public static string WithoutOf(string text, string where) => IsPlain(text) ? text
        : throw new CrustException(FailureKind.BadInput, "This is no list of hosts", where, "write names, addresses and networks with commas between, without blanks and quotes");

    /// <summary>Mirrors, each as `HOST=URL`.</summary>
    /// <exception cref="CrustException">One isn't written so, or a host stands twice.</exception>
    public static ImmutableSortedDictionary<string, string> MirrorsOf(IEnumerable<string> entries, string where)
    {
        var mirrors = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            if (MirrorPattern().Match(entry) is not { Success: true } match)
            {
                throw new CrustException(FailureKind.BadInput, $"'{Sanitizing.CleanText.Line(entry, 100)}' is no mirror of a registry", where,
                    "write HOST=URL: docker.io=https://mirror.example.org");
            }

            if (!mirrors.TryAdd(match.Groups["host"].Value, match.Groups["url"].Value))
            {
                throw new CrustException(FailureKind.BadInput, $"The registry {match.Groups["host"].Value} has two mirrors", where, "leave one of them");
            }
        }

        return mirrors.ToImmutable();
    }

    // Neither a shell nor systemd nor apt reads anything into it.
    private static bool IsPlain(string text) => PlainPattern().IsMatch(text);

    [GeneratedRegex(@"\A[A-Za-z0-9._,:/*@%\[\]~-]{1,1000}\z")]
    private static partial Regex PlainPattern();

    [GeneratedRegex(@"\A(?<host>[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?)=(?<url>https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex MirrorPattern();
}
