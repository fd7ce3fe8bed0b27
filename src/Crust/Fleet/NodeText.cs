using System.Globalization;

namespace Crust.Fleet;

/// <summary>A node's values as people and configuration files have them.</summary>
internal static class NodeText
{
    /// <summary>The fixed address with the length of its prefix, if that is known; `DHCP` where it has none.</summary>
    public static string AddressOf(Node node) => (node.Address, node.PrefixLength) switch
    {
        (null, _) => "DHCP",
        ({ } address, { } length) => string.Create(CultureInfo.InvariantCulture, $"{address}/{length}"),
        ({ } address, null) => address.ToString(),
    };
}
