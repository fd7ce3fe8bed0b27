using System.Collections.Immutable;

namespace Crust.Fleet;

/// <summary>The roles that nodes may have, and what each means for a cluster.</summary>
internal static class NodeRole
{
    /// <summary>The words that Crust knows: Kubernetes' own, k3s' (`cluster`, `server`, `agent`), and `none` for a machine of no cluster.</summary>
    public static readonly ImmutableSortedDictionary<string, NodeJoin> Known = ImmutableSortedDictionary.CreateRange(StringComparer.Ordinal, new[]
    {
        KeyValuePair.Create("cluster", NodeJoin.Init),
        KeyValuePair.Create("control-plane", NodeJoin.Server),
        KeyValuePair.Create("server", NodeJoin.Server),
        KeyValuePair.Create("worker", NodeJoin.Agent),
        KeyValuePair.Create("agent", NodeJoin.Agent),
        KeyValuePair.Create("none", NodeJoin.None),
    });

    /// <summary>What a role means; null for one that nobody knows.</summary>
    /// <param name="own">The file's own roles: they have no part in a cluster, and setup.sh knows what they are.</param>
    public static NodeJoin? JoinOf(string role, ImmutableArray<string> own) => Known.TryGetValue(role, out var join) ? join : own.Contains(role) ? NodeJoin.None : null;
}
