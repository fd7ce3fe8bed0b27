using System.Collections.Immutable;
using System.Net;

namespace Crust.Spec;

/// <summary>The proxy by which a URL is reached.</summary>
/// <param name="Address">Its URL, without a login.</param>
/// <param name="Variable">The environment variable that names it.</param>
/// <param name="Login">Its login; null for none.</param>
internal sealed record ProxyChoice(Uri Address, string Variable, NetworkCredential? Login)
{
    public override string ToString() => $"{Address.GetLeftPart(UriPartial.Authority)} ({Variable})";
}

/// <summary>Which servers are reached by which proxy, as the environment says it to curl and to programs in Go.</summary>
internal sealed class ProxySettings
{
    private static readonly ImmutableArray<string> Schemes = ["http", "https", "socks4", "socks4a", "socks5"];

    private static readonly ImmutableArray<string> WebSchemes = ["http", "https"];

    private readonly ImmutableArray<NoProxy> _without;
    private readonly ImmutableDictionary<string, string> _variables;

    private ProxySettings(ImmutableDictionary<string, string> variables)
    {
        _variables = variables;
        _without = [.. (Value("no_proxy", "NO_PROXY")?.Text ?? "").Split([',', ' ', '\t'], StringSplitOptions.RemoveEmptyEntries).Select(NoProxy.Parse).OfType<NoProxy>()];
    }

    public static ProxySettings None { get; } = new(ImmutableDictionary<string, string>.Empty);

    /// <summary>What `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy` say, in small letters or in capitals.</summary>
    public static ProxySettings From(ImmutableDictionary<string, string> variables) => new(variables);

    /// <summary>All that no message may show.</summary>
    public IEnumerable<string> Secrets =>
        from given in new[] { Of("http"), Of("https"), Value("all_proxy", "ALL_PROXY") }.OfType<(string Name, string Text)>()
        let address = given.Text[(given.Text.IndexOf("://", StringComparison.Ordinal) is >= 0 and var at ? at + 3 : 0)..].Split('/')[0]
        where address.Contains('@')
        let login = address[..address.LastIndexOf('@')]
        from secret in new[] { login, Uri.UnescapeDataString(login) }.Concat(login.Split(':', 2).Skip(1).SelectMany(word => new[] { word, Uri.UnescapeDataString(word) }))
        select secret;

    /// <summary>The proxy for a URL; null if it is reached without one.</summary>
    /// <exception cref="CrustException">The variable names none.</exception>
    public ProxyChoice? For(Uri url) => _without.Any(entry => entry.Holds(url)) ? null : Choose(url.Scheme);

    private ProxyChoice? Choose(string scheme)
    {
        if ((Of(scheme) ?? Value("all_proxy", "ALL_PROXY")) is not var (name, text))
        {
            return null;
        }

        var full = text.Contains("://", StringComparison.Ordinal) ? text : $"http://{text}";
        // curl's socks5h has the proxy look up names, which .NET's socks5 does as well.
        full = full.StartsWith("socks5h://", StringComparison.OrdinalIgnoreCase) ? "socks5" + full[7..] : full;
        if (!Uri.TryCreate(full, UriKind.Absolute, out var proxy) || !Schemes.Contains(proxy.Scheme) || proxy.Host.Length == 0)
        {
            // Not shown: it may have a login.
            throw new CrustException(FailureKind.BadInput, $"The environment variable {name} names no proxy", $"environment variable {name}",
                $"write http://HOST:PORT, with a login http://USER:PASSWORD@HOST:PORT (special characters as %40), or one of the schemes {string.Join(", ", Schemes)}");
        }

        var login = proxy.UserInfo.Split(':', 2);
        return new ProxyChoice(new UriBuilder(proxy.Scheme, proxy.Host, proxy.Port).Uri, name,
            proxy.UserInfo.Length == 0 ? null : new NetworkCredential(Uri.UnescapeDataString(login[0]), Uri.UnescapeDataString(login.ElementAtOrDefault(1) ?? "")));
    }

    /// <summary>The login of a proxy that <see cref="For"/> has named; null for none.</summary>
    internal NetworkCredential? LoginOf(Uri proxy) => WebSchemes.Select(Choose).FirstOrDefault(choice => choice?.Address == proxy && choice.Login is not null)?.Login;

    // A web server that runs Crust by CGI sets HTTP_PROXY to what a request's header Proxy says: there, only the small letters count.
    private (string Name, string Text)? Of(string scheme) =>
        scheme == "http" && _variables.ContainsKey("GATEWAY_INTERFACE") ? Value("http_proxy") : Value($"{scheme}_proxy", $"{scheme.ToUpperInvariant()}_PROXY");

    private (string Name, string Text)? Value(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_variables.GetValueOrDefault(name)?.Trim() is { Length: > 0 } text)
            {
                return (name, text);
            }
        }

        return null;
    }

    /// <summary>An entry of `no_proxy`: `*`, a name with all below it, an address, or a network (CIDR); names and addresses also with a port.</summary>
    private sealed record NoProxy(string Name, IPNetwork? Network, int? Port)
    {
        public static NoProxy? Parse(string entry)
        {
            if (entry == "*")
            {
                return new NoProxy("", null, null);
            }

            if (IPNetwork.TryParse(entry, out var network) || TryParseLoosely(entry, out network))
            {
                return new NoProxy("", network, null);
            }

            int? port = null;
            var host = entry;
            // A bare IPv6 address has colons of its own.
            if (entry.LastIndexOf(':') is > 0 and var colon && (entry[colon - 1] == ']' || entry.IndexOf(':') == colon))
            {
                if (!ushort.TryParse(entry.AsSpan(colon + 1), out var number))
                {
                    return null;
                }

                (host, port) = (entry[..colon], number);
            }

            host = host.Trim('[', ']');
            if (IPAddress.TryParse(host, out var address))
            {
                address = Plain(address);
                return new NoProxy("", new IPNetwork(address, address.GetAddressBytes().Length * 8), port);
            }

            host = (host.StartsWith("*.", StringComparison.Ordinal) ? host[2..] : host.TrimStart('.')).TrimEnd('.').ToLowerInvariant();
            return host.Length == 0 ? null : new NoProxy(host, null, port);
        }

        public bool Holds(Uri url)
        {
            if (Port is { } port && port != url.Port)
            {
                return false;
            }

            // Uri writes an IPv6 address with brackets. Names aren't looked up: no network is asked for what nobody may ask.
            var host = url.IdnHost.Trim('[', ']').TrimEnd('.').ToLowerInvariant();
            return Network is { } network ? IPAddress.TryParse(host, out var address) && network.Contains(Plain(address))
                : Name.Length == 0 || host == Name || host.EndsWith($".{Name}", StringComparison.Ordinal);
        }

        // 10.1.2.3/8, with bits beyond the prefix, is meant as 10.0.0.0/8.
        private static bool TryParseLoosely(string entry, out IPNetwork network)
        {
            network = default;
            if (entry.Split('/') is not [var host, var digits] || !IPAddress.TryParse(host, out var address) || !byte.TryParse(digits, out var prefix))
            {
                return false;
            }

            var bytes = address.GetAddressBytes();
            if (prefix > bytes.Length * 8)
            {
                return false;
            }

            for (var bit = (int)prefix; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
            }

            network = new IPNetwork(new IPAddress(bytes), prefix);
            return true;
        }

        private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());
    }
}
