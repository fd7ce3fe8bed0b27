using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Fleet;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust nodes`: whether a list of nodes is right, and what the nodes themselves read of it.</summary>
internal static class NodesCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The list of nodes.", DefaultValueFactory = _ => NodesFile.DefaultName };
        var strict = new Option<bool>("--strict") { Description = "Warnings are errors, too." };
        var json = CommonOptions.Json();
        var command = new Command("nodes", "Checks a list of nodes, and prints the table that nodes read on their first boot: as nodes.table in the bootstrap repository it wins over the one in the image.") { file, strict, json };
        command.SetAction(parse =>
        {
            var nodes = NodesReader.Read(parse.GetRequiredValue(file));
            foreach (var warning in nodes.Warnings)
            {
                MessageWriter.Of(parse).Warn(CleanText.Line($"{warning.What} ({warning.Where}): {warning.Remedy}"));
            }

            if (parse.GetValue(strict) && nodes.Warnings is [var first, ..])
            {
                throw new CrustException(FailureKind.BadInput, first.What, first.Where, first.Remedy);
            }

            parse.InvocationConfiguration.Output.Write(parse.GetValue(json) ? ToJson(nodes).ToJsonString() + "\n" : NodesTable.Of(nodes));
            return (int)ExitCode.Done;
        });
        return command;
    }

    private static JsonObject ToJson(NodesFile file) => new()
    {
        ["cluster"] = file.Cluster.LowerName(),
        ["endpoint"] = file.Endpoint,
        ["nodes"] = new JsonArray([.. file.Nodes.Select(node => new JsonObject
        {
            ["hostname"] = node.Name,
            ["macs"] = new JsonArray([.. node.Macs.Select(mac => (JsonNode)mac.ToString())]),
            ["serial"] = node.Serial,
            ["address"] = node.Address?.ToString(),
            ["prefixLength"] = node.PrefixLength,
            ["role"] = node.Role,
            ["join"] = node.Join.LowerName(),
        })]),
        ["warnings"] = new JsonArray([.. file.Warnings.Select(warning => new JsonObject { ["what"] = warning.What, ["where"] = warning.Where, ["remedy"] = warning.Remedy })]),
    };
}
