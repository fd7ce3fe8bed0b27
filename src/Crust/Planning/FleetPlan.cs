using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Crust.Fleet;
using Crust.Sanitizing;

namespace Crust.Planning;

/// <summary>A part of a fleet, for one job of a CI.</summary>
/// <param name="Nodes">The nodes' file, as it was given.</param>
/// <param name="Shard">As `crust fleet --shard` takes it.</param>
/// <param name="Count">How many nodes it has.</param>
internal sealed record PlannedPart(string Nodes, string Shard, int Count);

/// <summary>A fleet in parts of about the same size.</summary>
internal sealed record FleetPlan(ImmutableArray<PlannedPart> Include)
{
    /// <summary>How many nodes a part has at most if nothing else is said: seconds of work as overlays.</summary>
    public const int DefaultSize = 1000;

    /// <param name="size">How many nodes a part has at most; 1 or more.</param>
    /// <param name="limit">How many parts there are at most, and it wins: parts then have more nodes. Null for any number.</param>
    public static FleetPlan Of(NodesFile file, int size, int? limit)
    {
        var names = file.Nodes.Select(node => node.Name).ToList();
        var parts = Math.Min((names.Count + size - 1) / size, limit ?? int.MaxValue);
        return new FleetPlan([.. Enumerable.Range(1, parts).Select(number => new Shard(number, parts)).Select(shard => new PlannedPart(file.Path, $"{shard.Number}/{shard.Count}", shard.Of(names).Count))]);
    }

    /// <summary>One line of JSON for a CI's matrix, like <see cref="BuildPlan.ToJson"/>.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, FleetPlanJson.OneLine) + "\n";

    /// <summary>A line for each part, for a shell's `read`: the shard and the nodes' file, with a tab between them.</summary>
    public string ToLines() => string.Concat(Include.Select(part => $"{part.Shard}\t{part.Nodes}\n"));
}

[JsonSerializable(typeof(FleetPlan))]
internal sealed partial class FleetPlanJson : JsonSerializerContext
{
    public static JsonTypeInfo<FleetPlan> OneLine { get; } = new FleetPlanJson(new JsonSerializerOptions(ReadableJson.CleanOptions()) { WriteIndented = false }).FleetPlan;
}
