using System.Net;
using System.Text.Json.Nodes;

namespace Crust.Spec;

/// <summary>The kinds of values that say what a guest reaches.</summary>
internal static class NetworkTypes
{
    public const int MostRanges = 32;

    // What `internet` was called while it reached this host, too.
    private const string FormerName = "user";

    private static readonly ValueType<MachineNetwork> Choice = ValueTypes.Choice<MachineNetwork>();

    public static readonly ValueType<MachineNetwork> Network = new(
        Choice.Placeholder,
        given => given.Single.Text == FormerName ? MachineNetwork.Internet : Choice.Parse(given),
        Choice.Format,
        () => Choice.Schema() is var schema && schema["enum"] is JsonArray names ? Add(schema, names) : throw new InvalidOperationException());

    /// <summary>An address, or a network in CIDR notation.</summary>
    public static readonly ValueType<IPNetwork> Range = new(
        "CIDR",
        given => Parse(given.Single) is var network && !SpecialNetworks.IsNeverReached(network) ? network
            : throw ValueTypes.Bad(given.Single, "is never reached: it is this host itself, or linked to it alone", "leave it out; machine.network: host lets a guest reach this host"),
        network => network.ToString(),
        () => new JsonObject { ["type"] = "string", ["pattern"] = "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$" });

    private static JsonObject Add(JsonObject schema, JsonArray names)
    {
        names.Add(FormerName);
        return schema;
    }

    private static IPNetwork Parse(GivenItem item)
    {
        // 10 and 10.1 are addresses for IPAddress; nobody means 0.0.0.10 by them.
        var parts = item.Text.Split('/');
        if (parts.Length <= 2 && (parts[0].Contains(':') || parts[0].Count(c => c == '.') == 3) && IPAddress.TryParse(parts[0], out var address) && address.ScopeId() == 0)
        {
            var bits = address.GetAddressBytes().Length * 8;
            if (parts.Length == 1)
            {
                return new IPNetwork(address, bits);
            }

            if (int.TryParse(parts[1], out var prefix) && prefix >= 0 && prefix <= bits)
            {
                return IPNetwork.Parse(item.Text);
            }
        }

        throw ValueTypes.Bad(item, "is neither an IP address nor a network in CIDR notation", "write it as 10.1.0.0/16, 192.168.7.20 or fd00:1::/64; a name isn't enough");
    }

    private static long ScopeId(this IPAddress address) => address.AddressFamily is System.Net.Sockets.AddressFamily.InterNetworkV6 ? address.ScopeId : 0;
}
