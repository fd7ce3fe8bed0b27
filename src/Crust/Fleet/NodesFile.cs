using System.Collections.Immutable;
using System.Net;

namespace Crust.Fleet;

/// <summary>What a node does in its cluster when it starts for the first time.</summary>
public enum NodeJoin
{
    /// <summary>Nothing: there is no cluster, or its role has no part in it.</summary>
    None,

    /// <summary>It begins the cluster.</summary>
    Init,

    /// <summary>It becomes a further control plane.</summary>
    Server,

    /// <summary>It becomes a worker.</summary>
    Agent,
}

/// <summary>What a cluster is made with.</summary>
public enum ClusterKind
{
    None,

    K3s,

    Kubeadm,
}

/// <summary>The machines of a fleet, as `nodes.yaml` says them: checked, no two of them alike.</summary>
/// <param name="Path">The file's path.</param>
/// <param name="Network">What all nodes with fixed addresses share.</param>
/// <param name="Endpoint">Where nodes join: `host:port`; null where there is no cluster, or nothing to join.</param>
/// <param name="Nodes">In the file's order.</param>
/// <param name="Warnings">What works and is probably not meant.</param>
internal sealed record NodesFile(string Path, NodesNetwork Network, ClusterKind Cluster, string? Endpoint, ImmutableArray<Node> Nodes, ImmutableArray<NodesWarning> Warnings)
{
    public const string DefaultName = "nodes.yaml";
}

/// <summary>The network in which nodes have fixed addresses.</summary>
/// <param name="Subnet">Null where the file doesn't say it.</param>
/// <param name="Gateway">The router; null for none.</param>
/// <param name="Dns">The resolvers.</param>
internal sealed record NodesNetwork(IPNetwork? Subnet, IPAddress? Gateway, ImmutableArray<IPAddress> Dns);

/// <summary>One machine.</summary>
/// <param name="Name">Its host name.</param>
/// <param name="Macs">Its cards' addresses; may be empty if there is a serial number.</param>
/// <param name="Serial">Its serial number, in lower case; null if it is known by its cards alone.</param>
/// <param name="Address">Its fixed address; null for DHCP.</param>
/// <param name="PrefixLength">Of the address's subnet; null where nothing says it.</param>
/// <param name="Role">As the file has it.</param>
/// <param name="Where">Where it stands: file, line, column, entry.</param>
internal sealed record Node(string Name, ImmutableArray<MacAddress> Macs, string? Serial, IPAddress? Address, int? PrefixLength, string Role, NodeJoin Join, string Where);

/// <summary>What works and is probably not meant.</summary>
internal sealed record NodesWarning(string What, string Where, string Remedy);
