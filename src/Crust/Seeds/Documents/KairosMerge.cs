namespace Crust.Seeds.Documents;

/// <summary>
/// Puts one document over another as Kairos merges its configs: mappings merge; lists of mappings are put one after the other; of other lists,
/// what the first lacks is added; else the second wins. Null in the second empties a list or a mapping. Where the kinds differ Kairos gives up;
/// here the second wins.
/// </summary>
internal static class KairosMerge
{
    /// <summary>The second over the first.</summary>
    public static ConfigNode Merge(ConfigNode under, ConfigNode over) => (under, over) switch
    {
        _ when under.IsNull => over,
        (ConfigMap, { IsNull: true }) => new ConfigMap([], over.Place),
        (ConfigList, { IsNull: true }) => new ConfigList([], over.Place),
        (ConfigMap a, ConfigMap b) => Merge(a, b),
        (ConfigList a, ConfigList b) => MergeLists(a, b),
        _ => over,
    };

    /// <summary>The second over the first.</summary>
    public static ConfigMap Merge(ConfigMap under, ConfigMap over)
    {
        var both = under.Entries.Select(entry => Find(over, entry.Key) is { } second ? entry with { Value = Merge(entry.Value, second) } : entry);
        // Of a mapping that is in a file and generated, too, messages name the file.
        var place = under.Place.Line == 0 && over.Place.Line > 0 ? over.Place : under.Place;
        return new ConfigMap([.. both, .. over.Entries.Where(entry => Find(under, entry.Key) is null)], place, under.Style, under.Tag);
    }

    private static ConfigNode? Find(ConfigMap map, ConfigNode key) => map.Entries.FirstOrDefault(entry => ConfigNode.IsSame(entry.Key, key))?.Value;

    private static ConfigList MergeLists(ConfigList under, ConfigList over)
    {
        if (under.Items.IsEmpty)
            return over;

        // Kairos looks at the first entry only.
        var merged = under.Items.ToList();
        foreach (var item in over.Items)
        {
            if (under.Items[0] is ConfigMap || !merged.Any(known => ConfigNode.IsSame(known, item)))
                merged.Add(item);
        }

        return under.With([.. merged]);
    }
}
