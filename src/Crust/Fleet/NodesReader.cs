using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Fleet;

/// <summary>Reads `nodes.yaml`: each error names the file with line and column, what is wrong and what to write. What entries must not share is in <see cref="NodesRules"/>.</summary>
internal static partial class NodesReader
{
    /// <summary>A host name that is also a node's in Kubernetes: a label of RFC 1123, in lower case.</summary>
    public const string NamePattern = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?";

    public const string RolePattern = "[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?";

    public const string SerialPattern = "[!-~]{3,64}";

    public const string EndpointPattern = @"([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?";

    private const string Format = "1";
    private const int ApiPort = 6443;

    // What firmware says where nobody has written a serial number into it.
    private static readonly ImmutableHashSet<string> NoSerials = ["none", "default", "unknown", "n/a", "0123456789", "123456789", "1234567890", "to-be-filled", "notspecified"];

    /// <exception cref="CrustException">It can't be read, or something in it is wrong.</exception>
    public static NodesFile Read(string path) => Parse(UserFile.Read(path, path, "nodes"), path);

    /// <exception cref="CrustException">Something in it is wrong.</exception>
    public static NodesFile Parse(string text, string path)
    {
        var root = YamlMapping.Parse(text, path, "a list of nodes");
        if (root.Text("version") is not (null or Format))
        {
            throw root.Wrong("version", "The file is of another version of Crust", $"write version: {Format}");
        }

        var network = root.Mapping("network") is { } keys ? ReadNetwork(keys) : new NodesNetwork(null, null, []);
        var (kind, endpoint) = root.Mapping("cluster") is { } cluster ? ReadCluster(cluster) : (ClusterKind.None, null);
        var roles = root.Texts("roles");
        if (roles.FirstOrDefault(role => !RoleForm().IsMatch(role) || NodeRole.Known.ContainsKey(role)) is { } wrong)
        {
            throw root.Wrong("roles", NodeRole.Known.ContainsKey(wrong) ? $"The role {wrong} is known without it" : $"'{wrong}' can't be a role's name", "name roles of your own, in lower-case letters, digits and dashes");
        }

        var entries = root.Mappings("nodes").Select(entry => (Keys: entry, Node: ReadNode(entry, network, roles))).ToImmutableArray();
        root.End();
        return entries.IsEmpty
            ? throw root.Wrong("nodes", "The file lists no node", "write nodes: and below it - { mac: 'dc:a6:32:01:02:03', hostname: node1, role: control-plane }")
            : NodesRules.Checked(path, root, network, kind, endpoint, entries);
    }

    private static NodesNetwork ReadNetwork(YamlMapping keys)
    {
        IPNetwork? subnet = keys.Text("subnet") is { } text ? SubnetOf(keys, text) : null;
        var gateway = keys.Text("gateway") is { } router ? GatewayOf(keys, router, subnet) : null;
        ImmutableArray<IPAddress> dns = [.. keys.Texts("dns").Select(server => AddressOf(keys, "dns", server))];
        keys.End();
        return new NodesNetwork(subnet, gateway, dns);
    }

    private static IPAddress GatewayOf(YamlMapping keys, string text, IPNetwork? subnet)
    {
        var gateway = AddressOf(keys, "gateway", text);
        return subnet is not { } network ? throw keys.Wrong("gateway", "There is a gateway, and no subnet that it is the gateway of", "write subnet: beside it, such as 192.168.10.0/24")
            : NodesRules.IsHostOf(network, gateway) ? gateway
            : throw keys.Wrong("gateway", $"The gateway {gateway} isn't in the subnet {network}", "write the router's address in the nodes' own subnet");
    }

    private static (ClusterKind Kind, string? Endpoint) ReadCluster(YamlMapping keys)
    {
        var word = keys.Required("kind");
        ClusterKind? kind = word switch { "k3s" => ClusterKind.K3s, "kubeadm" => ClusterKind.Kubeadm, "none" => ClusterKind.None, _ => null };
        if (kind is not { } known)
        {
            throw keys.Wrong("kind", $"'{word}' is nothing that a cluster is made with here", Nearest.Suggest(word, ["k3s", "kubeadm", "none"]));
        }

        var endpoint = keys.Text("endpoint");
        keys.End();
        return endpoint is null || EndpointForm().IsMatch(endpoint) ? (known, endpoint is null ? null : WithPort(endpoint))
            : throw keys.Wrong("endpoint", $"'{endpoint}' is no host and port", $"write an address or a name with a port behind it, such as 192.168.10.10:{ApiPort}; an IPv6 address in brackets");
    }

    /// <summary>A host with the API's port, if it has none.</summary>
    internal static string WithPort(string endpoint) => PortForm().IsMatch(endpoint) ? endpoint : string.Create(CultureInfo.InvariantCulture, $"{endpoint}:{ApiPort}");

    private static Node ReadNode(YamlMapping keys, NodesNetwork network, ImmutableArray<string> roles)
    {
        var name = keys.Required("hostname");
        if (!NameForm().IsMatch(name))
        {
            throw keys.Wrong("hostname", $"'{name}' can't be a node's host name",
                name.Any(char.IsAsciiLetterUpper) && NameForm().IsMatch(name.ToLowerInvariant()) ? $"write {name.ToLowerInvariant()}: Kubernetes' nodes have no capitals" : "write letters in lower case, digits and dashes, 63 at most");
        }

        ImmutableArray<MacAddress> macs = [.. keys.Texts("mac").Select(text => MacOf(keys, text))];
        var serial = SerialOf(keys);
        if (macs.IsEmpty && serial is null)
        {
            throw keys.Wrong("hostname", $"Nothing says which machine {name} is", "write its mac: or its serial:");
        }

        var role = keys.Required("role");
        var join = NodeRole.JoinOf(role, roles) ?? throw keys.Wrong("role", $"There is no role '{role}'",
            $"{Nearest.Suggest(role, [.. NodeRole.Known.Keys, .. roles])}, or list your own in roles: at the top of the file");
        var (address, length) = keys.Text("ip") is { } ip ? FixedAddress(keys, ip, network) : (null, null);
        keys.End();
        return new Node(name, macs, serial, address, length, role, join, keys.Where);
    }

    private static MacAddress MacOf(YamlMapping keys, string text) => !MacAddress.TryParse(text, out var mac)
        ? throw keys.Wrong("mac", $"'{text}' isn't a MAC address", "write its 12 hex digits, such as dc:a6:32:01:02:03, in quotes where YAML would read a number")
        : mac.IsGroup || mac.IsZero ? throw keys.Wrong("mac", $"No card has the MAC address {mac}{(mac.IsZero ? "" : ": it is that of a group")}", "write the one that ip link shows, or that is printed on the card")
        : mac;

    private static string? SerialOf(YamlMapping keys)
    {
        if (keys.Text("serial") is not { } text)
        {
            return null;
        }

        var serial = text.Trim().ToLowerInvariant();
        return !SerialForm().IsMatch(serial) ? throw keys.Wrong("serial", $"'{text}' can't be a serial number", "write it as /proc/device-tree/serial-number or dmidecode -s system-serial-number shows it, without spaces; in quotes if it is all digits")
            : NoSerials.Contains(serial) || serial.All(c => c == serial[0]) ? throw keys.Wrong("serial", $"'{text}' is what firmware says where there is no serial number, and so of many machines", "leave it out, and write the mac:")
            : serial;
    }

    private static (IPAddress? Address, int? Length) FixedAddress(YamlMapping keys, string text, NodesNetwork network)
    {
        var parts = text.Split('/');
        var address = AddressOf(keys, "ip", parts[0]);
        if (parts.Length > 1)
        {
            var most = address.GetAddressBytes().Length * 8;
            return parts.Length == 2 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length) && length > 0 && length <= most
                ? (InSubnet(keys, address, network), length)
                : throw keys.Wrong("ip", $"'{text}' has no length of a prefix behind its slash", $"write a number from 1 to {most}, or leave it out and name network.subnet");
        }

        return (InSubnet(keys, address, network), network.Subnet?.PrefixLength);
    }

    private static IPAddress InSubnet(YamlMapping keys, IPAddress address, NodesNetwork network) => network.Subnet is not { } subnet ? address
        : !subnet.Contains(address) ? throw keys.Wrong("ip", $"The address {address} lies outside the subnet {subnet}", "write one of the subnet, or correct network.subnet")
        : !NodesRules.IsHostOf(subnet, address) ? throw keys.Wrong("ip", $"The address {address} is the subnet's own, or its broadcast address", "write another one")
        : address.Equals(network.Gateway) ? throw keys.Wrong("ip", $"The address {address} is the gateway's", "write another one")
        : address;

    private static IPAddress AddressOf(YamlMapping keys, string key, string text) =>
        // 10.1 and 0x0a000001 are addresses to the platform, and typing errors here.
        IPAddress.TryParse(text, out var address) && (text.Contains(':') ? !text.Contains('%') && !text.Contains('[') : address.ToString() == text) ? address
            : throw keys.Wrong(key, $"'{text}' isn't an address", "write an IPv4 address with four numbers, or an IPv6 address");

    private static IPNetwork SubnetOf(YamlMapping keys, string text)
    {
        if (IPNetwork.TryParse(text, out var subnet) && subnet.PrefixLength > 0 && IPAddress.TryParse(text.Split('/')[0], out var first) && first.Equals(subnet.BaseAddress))
        {
            return subnet;
        }

        // A frequent slip: an address of the subnet in place of the subnet's own.
        var parts = text.Split('/');
        var meant = parts.Length == 2 && IPAddress.TryParse(parts[0], out var address) && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && length > 0 && length <= address.GetAddressBytes().Length * 8 ? NodesRules.NetworkOf(address, length).ToString() : "192.168.10.0/24";
        throw keys.Wrong("subnet", $"'{text}' isn't a subnet", $"write its first address and the length of its prefix, such as {meant}");
    }

    [GeneratedRegex($@"\A{NamePattern}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex NameForm();

    [GeneratedRegex($@"\A{RolePattern}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex RoleForm();

    [GeneratedRegex($@"\A{SerialPattern}\z")]
    private static partial Regex SerialForm();

    [GeneratedRegex($@"\A{EndpointPattern}\z", RegexOptions.ExplicitCapture)]
    private static partial Regex EndpointForm();

    [GeneratedRegex(@"[\]A-Za-z0-9.-]:[0-9]{1,5}\z")]
    private static partial Regex PortForm();
}
