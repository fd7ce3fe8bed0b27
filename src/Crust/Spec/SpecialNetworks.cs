using System.Collections.Immutable;
using System.Net;

namespace Crust.Spec;

/// <summary>Addresses that aren't of the internet.</summary>
internal static class SpecialNetworks
{
    /// <summary>What no spec can allow: IANA's registries of special-purpose addresses (RFC 6890), and metadata services of clouds.</summary>
    public static readonly ImmutableArray<(IPNetwork Network, string What)> Never =
    [
        Row("0.0.0.0/8", "an address of this host"),
        Row("127.0.0.0/8", "this host's loopback"),
        Row("169.254.0.0/16", "a link-local address"),
        Row("168.63.129.16/32", "Azure's metadata service"),
        Row("100.100.100.200/32", "a cloud's metadata service"),
        Row("fd00:ec2::254/128", "a cloud's metadata service"),
        Row("fd20:ce::254/128", "a cloud's metadata service"),
        Row("192.0.0.0/24", "a special-purpose address"),
        Row("224.0.0.0/4", "a multicast address"),
        Row("240.0.0.0/4", "a reserved address"),
        // Addresses that carry one of IPv4: a gateway would take them to it.
        Row("::/3", "a special-purpose address"),
        Row("2001::/32", "a special-purpose address"),
        Row("2002::/16", "a special-purpose address"),
        Row("fe80::/10", "a link-local address"),
        Row("fec0::/10", "an address of this host"),
        Row("ff00::/8", "a multicast address"),
    ];

    /// <summary>Networks of one's own, which a spec can allow.</summary>
    public static readonly ImmutableArray<IPNetwork> Private =
    [
        .. new[] { "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "fc00::/7" }.Select(IPNetwork.Parse),
    ];

    /// <summary>Whether a network holds nothing that could be allowed.</summary>
    public static bool IsNeverReached(IPNetwork network) =>
        Never.Any(row => row.Network.PrefixLength <= network.PrefixLength && row.Network.Contains(network.BaseAddress));

    private static (IPNetwork Network, string What) Row(string network, string what) => (IPNetwork.Parse(network), what);
}
