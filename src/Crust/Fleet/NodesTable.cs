using System.Globalization;
using System.Text;
using Crust.Spec;

namespace Crust.Fleet;

/// <summary>
/// The nodes as builder/first-boot/first-boot reads them: a line each, fields with a tab between them, `-` where there is nothing, since the shell takes two tabs for one. No field has a
/// space or a quote in it (<see cref="NodesReader"/>).
/// </summary>
internal static class NodesTable
{
    /// <summary>The file's name on the image, and in a repository that says more or other nodes.</summary>
    public const string FileName = "nodes.table";

    /// <summary>The version of the format; the script refuses others.</summary>
    public const string Header = "# crust-nodes 1";

    private const string None = "-";

    public static string Of(NodesFile file)
    {
        var table = new StringBuilder($"{Header}\n");
        Line(table, ["cluster", file.Cluster.LowerName(), file.Endpoint ?? None]);
        foreach (var node in file.Nodes)
        {
            var (gateway, dns) = node.Address is null || node.PrefixLength is null ? (None, None) : (file.Network.Gateway?.ToString() ?? None, Join(file.Network.Dns));
            Line(table, ["node", node.Name, Join(node.Macs), node.Serial ?? None, AddressOf(node), gateway, dns, node.Role, node.Join.LowerName()]);
        }

        return table.ToString();
    }

    private static string AddressOf(Node node) => node.Address is not { } address ? None
        : node.PrefixLength is { } length ? string.Create(CultureInfo.InvariantCulture, $"{address}/{length}") : address.ToString();

    private static string Join<T>(IReadOnlyCollection<T> values) => values.Count == 0 ? None : string.Join(',', values);

    private static void Line(StringBuilder table, string[] fields) => table.AppendJoin('\t', fields).Append('\n');
}
