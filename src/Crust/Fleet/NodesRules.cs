using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Crust.Spec;

namespace Crust.Fleet;

/// <summary>What must hold between the entries of `nodes.yaml`, and what had better hold.</summary>
internal static class NodesRules
{
    // A Raspberry Pi's serial number has 16 hex digits, of which firmware and labels often show the last 8.
    private const int LongSerial = 16;
    private const int ShortSerial = 8;

    /// <summary>The file, once nothing in it contradicts itself.</summary>
    /// <param name="root">The file's own keys, for messages.</param>
    /// <param name="endpoint">Where nodes join, if the file says it.</param>
    /// <exception cref="CrustException">Two entries can't both be right, or the cluster can't be.</exception>
    public static NodesFile Checked(string path, YamlMapping root, NodesNetwork network, ClusterKind kind, string? endpoint, ImmutableArray<(YamlMapping Keys, Node Node)> entries)
    {
        Unique(entries, "hostname", "host name", node => [node.Name], "give each node a name of its own: in a cluster, the second would take the first one's place");
        Unique(entries, "mac", "MAC address", node => node.Macs.Select(mac => mac.ToString()), "write each card's address with the one machine that it is in");
        var shortSerials = entries.Select(entry => entry.Node.Serial).Where(serial => serial is { Length: ShortSerial }).ToHashSet();
        Unique(entries, "serial", "serial number", node => SerialsOf(node, shortSerials), "write each machine once");
        Unique(entries, "ip", "address", node => node.Address is { } address ? [address.ToString()] : [], "give each node an address of its own");
        if (entries.Where(entry => entry.Node.Join is NodeJoin.Init).Skip(1).FirstOrDefault() is { Keys: { } second })
        {
            throw second.Wrong("role", "Two nodes begin the cluster, and would be two clusters", "write control-plane for all but one");
        }

        var nodes = WithInitialNode(entries, kind);
        var warnings = ImmutableArray.CreateBuilder<NodesWarning>();
        CheckControlPlane(root, kind, nodes, warnings);
        CheckAddresses(network, entries, warnings);
        return new NodesFile(path, network, kind, EndpointOf(root, kind, endpoint, nodes, warnings), nodes, warnings.ToImmutable());
    }

    /// <summary>Whether an address of a subnet may be a machine's: not the first and the last one of IPv4's subnets (RFC 1122, section 3.2.1.3), but of those with one or two addresses (RFC 3021).</summary>
    public static bool IsHostOf(IPNetwork subnet, IPAddress address)
    {
        if (!subnet.Contains(address))
        {
            return false;
        }

        if (address.AddressFamily is not AddressFamily.InterNetwork || subnet.PrefixLength > 30)
        {
            return true;
        }

        var last = subnet.BaseAddress.GetAddressBytes();
        for (var bit = subnet.PrefixLength; bit < 32; bit++)
        {
            last[bit / 8] |= (byte)(0x80 >> (bit % 8));
        }

        return !address.Equals(subnet.BaseAddress) && !address.Equals(new IPAddress(last));
    }

    /// <summary>The subnet that an address is in.</summary>
    public static IPNetwork NetworkOf(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), length);
    }

    // A short serial number is also its long form's, where another entry has that.
    private static IEnumerable<string> SerialsOf(Node node, HashSet<string?> shortSerials) => node.Serial is not { } serial ? []
        : serial.Length == LongSerial && shortSerials.Contains(serial[^ShortSerial..]) ? [serial, serial[^ShortSerial..]] : [serial];

    private static void Unique(ImmutableArray<(YamlMapping Keys, Node Node)> entries, string key, string what, Func<Node, IEnumerable<string>> valuesOf, string remedy)
    {
        var owners = new Dictionary<string, Node>(StringComparer.Ordinal);
        foreach (var (keys, node) in entries)
        {
            foreach (var value in valuesOf(node))
            {
                if (!owners.TryAdd(value, node))
                {
                    throw keys.Wrong(key, $"The {what} {value} is there twice{(owners[value].Name == node.Name ? "" : $": with {owners[value].Name}, too")} ({owners[value].Where})", remedy);
                }
            }
        }
    }

    // Of several control planes, the first in the file begins the cluster, unless one says that it does.
    private static ImmutableArray<Node> WithInitialNode(ImmutableArray<(YamlMapping Keys, Node Node)> entries, ClusterKind kind)
    {
        ImmutableArray<Node> nodes = [.. entries.Select(entry => entry.Node)];
        var first = nodes.Any(node => node.Join is NodeJoin.Init) ? null : nodes.FirstOrDefault(node => node.Join is NodeJoin.Server);
        return kind is ClusterKind.None ? [.. nodes.Select(node => node with { Join = NodeJoin.None })]
            : first is null ? nodes : nodes.Replace(first, first with { Join = NodeJoin.Init });
    }

    private static void CheckControlPlane(YamlMapping root, ClusterKind kind, ImmutableArray<Node> nodes, ImmutableArray<NodesWarning>.Builder warnings)
    {
        const string What = "There is no control plane";
        const string Remedy = "give one node the role control-plane, or cluster";
        var planes = nodes.Count(node => NodeRole.Known.GetValueOrDefault(node.Role) is NodeJoin.Init or NodeJoin.Server);
        if (planes == 0 && kind is not ClusterKind.None)
        {
            throw root.Wrong("nodes", What, $"{Remedy}; without one, the workers would wait for ever");
        }

        if (planes == 0 && nodes.Any(node => NodeRole.Known.GetValueOrDefault(node.Role) is NodeJoin.Agent))
        {
            warnings.Add(new NodesWarning(What, root.WhereOf("nodes"), $"{Remedy}, unless it is elsewhere"));
        }
        else if (planes > 0 && planes % 2 == 0)
        {
            warnings.Add(new NodesWarning($"There are {planes} control planes, and etcd survives the loss of no more of them than with {planes - 1}", root.WhereOf("nodes"), "take an odd number"));
        }
    }

    private static void CheckAddresses(NodesNetwork network, ImmutableArray<(YamlMapping Keys, Node Node)> entries, ImmutableArray<NodesWarning>.Builder warnings)
    {
        if (entries.FirstOrDefault(entry => entry.Node is { Address: not null, PrefixLength: null }) is { Keys: { } bare } lone)
        {
            warnings.Add(new NodesWarning($"The address of {lone.Node.Name} isn't set on the machine, since nothing says how long its subnet's prefix is: setup.sh gets it, and DHCP has to give it", bare.WhereOf("ip"),
                "name network.subnet, or write the length behind the address"));
        }

        if (network is { Subnet: not null, Gateway: null } && entries.FirstOrDefault(entry => entry.Node.Address is not null) is { Keys: { } keys } first)
        {
            warnings.Add(new NodesWarning($"{first.Node.Name} has a fixed address and no gateway: it reaches its own subnet alone", keys.WhereOf("ip"), "name network.gateway, if there is one"));
        }
    }

    private static string? EndpointOf(YamlMapping root, ClusterKind kind, string? endpoint, ImmutableArray<Node> nodes, ImmutableArray<NodesWarning>.Builder warnings)
    {
        if (kind is ClusterKind.None)
        {
            return null;
        }

        if (endpoint is not null)
        {
            return endpoint;
        }

        var first = nodes.First(node => node.Join is NodeJoin.Init);
        if (first.Address is null && nodes.Any(node => node.Join is NodeJoin.Server or NodeJoin.Agent))
        {
            warnings.Add(new NodesWarning($"Nodes join {first.Name} by its name, which has to be in their DNS", root.WhereOf("cluster"), $"name cluster.endpoint, or give {first.Name} an ip"));
        }

        return NodesReader.WithPort(first.Address is not { } address ? first.Name : address.AddressFamily is AddressFamily.InterNetworkV6 ? $"[{address}]" : address.ToString());
    }
}
