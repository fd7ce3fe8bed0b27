using System.Collections.Immutable;
using System.Text.RegularExpressions;
using YamlDotNet.Core;

namespace Crust.Seeds.Documents;

/// <summary>
/// Puts one cloud-config over another as cloud-init merges the parts of a user-data (cloud-init's documentation, "Merging user data sections"): the second
/// document says how in `merge_how` or `merge_type`; without that, each of its top-level keys replaces the first's.
/// </summary>
internal static partial class CloudInitMerge
{
    private const string Default = "dict(replace)+list()+str()";

    // The first of these that is among a list's settings counts.
    private static readonly string[] ListMethods = ["append", "prepend", "replace", "no_replace"];

    private static readonly string[] WordsForHow = ["merge_how", "merge_type"];

    /// <summary>The second over the first.</summary>
    /// <exception cref="CrustException">The second says how in a way that cloud-init doesn't understand.</exception>
    public static ConfigMap Merge(ConfigMap under, ConfigMap over)
    {
        var how = WordsForHow.Select(name => ConfigTree.Find(over, name)).FirstOrDefault(node => node is not null);
        // Only the word that was looked at goes; the other would stay, as in cloud-init.
        var used = WordsForHow.FirstOrDefault(name => ConfigTree.Find(over, name) is not null);
        var rest = over.With([.. over.Entries.Where(entry => entry.Name != used)]);
        return (ConfigMap)new Merger(how is null ? ReadWords(Default, Place.Default) : Read(how)).Merge(under, rest);
    }

    private static ImmutableArray<Way> Read(ConfigNode how) => how switch
    {
        ConfigScalar { IsNull: false } words => ReadWords(words.Value, words.Place) is { IsEmpty: false } ways ? ways : ReadWords(Default, Place.Default),
        ConfigList { Items.IsEmpty: false } list => [.. list.Items.Select(ReadItem)],
        _ => ReadWords(Default, Place.Default),
    };

    private static ImmutableArray<Way> ReadWords(string text, Place place) =>
    [
        .. text.Split('+').Select(word => word.Trim().ToLowerInvariant()).Where(word => word.Length > 0).Select(word =>
            WayPattern().Match(word) is { Success: true } match
                ? WayOf(match.Groups[1].Value, match.Groups[2].Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries), place)
                : throw Bad($"'{word}' doesn't say how to merge", place)),
    ];

    // {name: list, settings: [append]}, or [list, append].
    private static Way ReadItem(ConfigNode item) => item switch
    {
        ConfigMap map when ConfigTree.Find(map, "name") is ConfigScalar name && ConfigTree.Find(map, "settings") is ConfigList settings =>
            WayOf(name.Value, settings.Items.OfType<ConfigScalar>().Select(word => word.Value), item.Place),
        ConfigList { Items: [ConfigScalar name, .. var settings] } => WayOf(name.Value, settings.OfType<ConfigScalar>().Select(word => word.Value), item.Place),
        _ => throw Bad("This doesn't say how to merge", item.Place),
    };

    private static Way WayOf(string name, IEnumerable<string> settings, Place place) => name.Trim().Replace('-', '_') is "dict" or "list" or "str"
        ? new Way(name.Trim(), [.. settings])
        : throw Bad($"cloud-init merges dict, list and str, not '{name}'", place);

    private static CrustException Bad(string what, Place place) =>
        new(FailureKind.BadInput, what, $"{place}", "write it as cloud-init's documentation does, such as: merge_how: list(append)+dict(recurse_list)+str()");

    [GeneratedRegex(@"\A([a-z_][a-z0-9_-]*)\((.*?)\)\z")]
    private static partial Regex WayPattern();

    /// <summary>How one kind of value is merged.</summary>
    private sealed record Way(string Kind, ImmutableHashSet<string> Settings)
    {
        public bool Has(params ReadOnlySpan<string> words)
        {
            foreach (var word in words)
            {
                if (Settings.Contains(word))
                    return true;
            }

            return false;
        }
    }

    private sealed class Merger(ImmutableArray<Way> ways)
    {
        // The kind of the first decides; where nothing is said of that kind, the first stays.
        public ConfigNode Merge(ConfigNode under, ConfigNode over) => under switch
        {
            ConfigMap map when WayFor("dict") is { } way => over is ConfigMap other ? MergeMaps(map, other, way) : map,
            ConfigList list when WayFor("list") is { } way => MergeLists(list, over, way),
            ConfigScalar text when IsText(text) && WayFor("str") is { } way => MergeTexts(text, over, way),
            _ => under,
        };

        private Way? WayFor(string kind) => ways.FirstOrDefault(way => way.Kind == kind);

        private ConfigMap MergeMaps(ConfigMap under, ConfigMap over, Way way)
        {
            var merged = under.Entries.ToList();
            foreach (var entry in over.Entries)
            {
                var index = merged.FindIndex(known => ConfigNode.IsSame(known.Key, entry.Key));
                if (index < 0)
                    merged.Add(entry);
                else if (entry.Value.IsNull && way.Has("allow_delete"))
                    merged.RemoveAt(index);
                else
                    merged[index] = merged[index] with { Value = MergeValue(merged[index].Value, entry.Value, way) };
            }

            return under.With([.. merged]);
        }

        private ConfigNode MergeValue(ConfigNode under, ConfigNode over, Way way) => way.Has("replace") ? over : over switch
        {
            ConfigList when way.Has("recurse_array", "recurse_list") => Merge(under, over),
            ConfigScalar text when IsText(text) && way.Has("recurse_str") => Merge(under, over),
            ConfigMap => Merge(under, over),
            _ => under,
        };

        private ConfigNode MergeLists(ConfigList under, ConfigNode over, Way way)
        {
            var method = ListMethods.FirstOrDefault(way.Settings.Contains, "replace");
            if (over is not ConfigList other)
                return method == "replace" ? over : under;

            return method switch
            {
                "append" => under.With([.. under.Items, .. other.Items]),
                "prepend" => under.With([.. other.Items, .. under.Items]),
                // cloud-init goes by the index, and leaves out what the second has more.
                _ => under.With([.. under.Items.Select((item, i) => i < other.Items.Length && method == "replace" ? MergeItem(item, other.Items[i], way) : item)]),
            };
        }

        private ConfigNode MergeItem(ConfigNode under, ConfigNode over, Way way) => over switch
        {
            ConfigList when way.Has("recurse_array", "recurse_list") => Merge(under, over),
            ConfigScalar text when IsText(text) && way.Has("recurse_str") => Merge(under, over),
            ConfigMap when way.Has("recurse_dict") => Merge(under, over),
            _ => over,
        };

        private static ConfigNode MergeTexts(ConfigScalar under, ConfigNode over, Way way) => over is ConfigScalar text && IsText(text) && way.Has("append")
            ? new ConfigScalar(under.Value + text.Value, ScalarStyle.DoubleQuoted, text.Place) { IsSecret = under.IsSecret || text.IsSecret }
            : over;

        // YAML 1.1 has y and n for booleans; PyYAML, by which cloud-init reads, hasn't.
        private static bool IsText(ConfigScalar scalar) => scalar.IsText || (!scalar.HasTag && scalar.Value is "y" or "n" or "Y" or "N");
    }
}
