using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Schemas;

/// <summary>What Ignition reads, version by version: builder/schemas/ignition.json, where `x-since` says which version brought a key, and ignition-2.json.</summary>
internal static class IgnitionSchema
{
    private static readonly ConcurrentDictionary<int, Schema> OfMinor = [];

    /// <summary>All that is wrong with a configuration by its own version.</summary>
    public static ImmutableArray<Violation> Check(IgnitionConfig config)
    {
        var root = (ConfigMap)WithoutNulls(config.Root);
        if (config.Major != 3)
            return config.Major == 2 ? [.. SchemaCheck.Run(SchemaLibrary.Ignition2, root)] : [];

        var minor = Math.Min(config.Minor, IgnitionConfig.NewestMinor);
        var newest = SchemaCheck.Run(OfMinor.GetOrAdd(IgnitionConfig.NewestMinor, Load), root);
        if (config.MayBeNewer)
            return [.. newest.Select(violation => violation with { IsWarning = true })];

        // What the newest version knows and this one doesn't.
        var early = SchemaCheck.Run(OfMinor.GetOrAdd(minor, Load), root)
            .Where(violation => violation.Fault is Fault.UnknownKey && !newest.Any(known => known.Fault is Fault.UnknownKey && known.Place == violation.Place))
            .Select(violation => violation with
            {
                What = $"'{violation.Path}' isn't in version {config.Version} of the configuration: Ignition takes no notice of it",
                Remedy = $"set ignition.version to a newer one (the newest is 3.{IgnitionConfig.NewestMinor}.0), as far as the system reads it",
            });
        return [.. newest, .. early];
    }

    // To Go, null is the same as nothing at all.
    private static ConfigNode WithoutNulls(ConfigNode node) => node switch
    {
        ConfigMap map => map.With([.. map.Entries.Where(entry => !entry.Value.IsNull).Select(entry => entry with { Value = WithoutNulls(entry.Value) })]),
        ConfigList list => list.With([.. list.Items.Where(item => !item.IsNull).Select(WithoutNulls)]),
        _ => node,
    };

    private static Schema Load(int minor)
    {
        var root = JsonNode.Parse(SchemaLibrary.Bytes("ignition"))!;
        Prune(root, minor);
        return Schema.Of(JsonDocument.Parse(root.ToJsonString()).RootElement);
    }

    private static void Prune(JsonNode node, int minor)
    {
        if (node is not JsonObject map)
            return;
        foreach (var (name, value) in map.ToList())
        {
            if (value is JsonObject && value["x-since"]?.GetValue<string>() is { } since && int.Parse(since.AsSpan(2), CultureInfo.InvariantCulture) > minor)
                map.Remove(name);
            else if (value is not null)
                Prune(value, minor);
        }
    }
}
