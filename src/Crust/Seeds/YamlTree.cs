using System.Text.RegularExpressions;
using Crust.Spec;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Crust.Seeds;

/// <summary>
/// YAML as trees of nodes, so that what a user wrote keeps its type and its quotes: as an object, `"0644"` would come
/// back as a number. No function here changes a node that it is given.
/// </summary>
internal static partial class YamlTree
{
    /// <summary>Text as a quoted scalar: no reader takes it for a number, a boolean or a date.</summary>
    public static YamlScalarNode Text(string value) => new(value) { Style = ScalarStyle.DoubleQuoted };

    /// <summary>`true` or `false`.</summary>
    public static YamlScalarNode Flag(bool value) => new(value ? "true" : "false") { Style = ScalarStyle.Plain };

    /// <summary>A mapping; entries without a value are left out.</summary>
    public static YamlMappingNode Map(params IEnumerable<(YamlNode Key, YamlNode? Value)> entries) =>
        new(entries.Where(entry => entry.Value is not null).Select(entry => KeyValuePair.Create(entry.Key, entry.Value!)));

    /// <summary>A list.</summary>
    public static YamlSequenceNode List(params IEnumerable<YamlNode> items) => new(items);

    /// <summary>What stands under a path of keys; null if nothing does.</summary>
    public static YamlNode? Find(YamlNode? root, params IEnumerable<string> path) => path.Aggregate(root, (node, key) =>
        node is YamlMappingNode map ? map.Children.FirstOrDefault(entry => entry.Key is YamlScalarNode scalar && scalar.Value == key).Value : null);

    /// <summary>Whether a node says "true" as YAML 1.1 or 1.2 does.</summary>
    public static bool IsTrue(YamlNode? node) =>
        node is YamlScalarNode { Value: { } value } scalar && !IsQuoted(scalar) && value.ToLowerInvariant() is "true" or "yes" or "on";

    /// <summary>
    /// The same tree with aliases replaced by what they stand for and merge keys (`&lt;&lt;`) by the keys they bring, as every
    /// reader of a cloud-config sees it. Without this, a generated key would win over one that the user merges in.
    /// </summary>
    /// <exception cref="CrustException">An anchor holds an alias of itself.</exception>
    public static YamlNode Resolve(YamlNode node, string file) => Resolve(node, file, []);

    private static YamlNode Resolve(YamlNode node, string file, Stack<YamlNode> above)
    {
        // By reference: equality of nodes goes by content, and would itself not end here.
        if (above.Any(ancestor => ReferenceEquals(ancestor, node)))
            throw new CrustException(FailureKind.BadInput, "An anchor (&name) holds an alias (*name) of itself", YamlText.At(file, node.Start), "write out what is meant");

        above.Push(node);
        YamlNode resolved = node switch
        {
            YamlMappingNode map => ResolveMap(map, file, above),
            YamlSequenceNode list => new YamlSequenceNode(list.Select(item => Resolve(item, file, above))) { Style = list.Style, Tag = list.Tag },
            YamlScalarNode scalar => new YamlScalarNode(scalar.Value) { Style = scalar.Style, Tag = scalar.Tag },
            _ => node,
        };
        above.Pop();
        return resolved;
    }

    private static YamlMappingNode ResolveMap(YamlMappingNode map, string file, Stack<YamlNode> above)
    {
        var resolved = new YamlMappingNode { Style = map.Style, Tag = map.Tag };
        foreach (var (key, value) in map.Where(entry => !IsMergeKey(entry.Key)))
            resolved.Add(Resolve(key, file, above), Resolve(value, file, above));

        // A key beside << wins over one that << brings, and of several mappings the first (yaml.org/type/merge).
        foreach (var (_, value) in map.Where(entry => IsMergeKey(entry.Key)))
        {
            foreach (var source in Resolve(value, file, above) is YamlSequenceNode list ? list.Children : [Resolve(value, file, above)])
            {
                if (source is not YamlMappingNode merged)
                    throw new CrustException(FailureKind.BadInput, "<< doesn't stand before a mapping", YamlText.At(file, value.Start), "merge a mapping, or quote the key");
                foreach (var (key, inner) in merged.Where(entry => !resolved.Children.ContainsKey(entry.Key)))
                    resolved.Add(key, inner);
            }
        }

        return resolved;
    }

    /// <summary>
    /// One document over another, as Kairos merges its configs: mappings merge; lists of mappings are put one after the other;
    /// of other lists, what the first lacks is added; else the second wins. Null in the second empties a list or a mapping.
    /// Where the kinds differ Kairos gives up; here the second wins.
    /// </summary>
    public static YamlNode Merge(YamlNode under, YamlNode over) => (under, over) switch
    {
        _ when YamlText.IsNull(under) => over,
        (YamlMappingNode, _) when YamlText.IsNull(over) => new YamlMappingNode(),
        (YamlSequenceNode, _) when YamlText.IsNull(over) => new YamlSequenceNode(),
        (YamlMappingNode a, YamlMappingNode b) => MergeMaps(a, b),
        (YamlSequenceNode a, YamlSequenceNode b) => MergeLists(a, b),
        _ => over,
    };

    private static YamlMappingNode MergeMaps(YamlMappingNode under, YamlMappingNode over)
    {
        var merged = new YamlMappingNode { Style = under.Style };
        foreach (var (key, value) in under)
            merged.Add(key, over.FirstOrDefault(entry => IsSame(entry.Key, key)).Value is { } second ? Merge(value, second) : value);
        foreach (var (key, value) in over.Where(entry => !under.Any(known => IsSame(known.Key, entry.Key))))
            merged.Add(key, value);
        return merged;
    }

    private static YamlSequenceNode MergeLists(YamlSequenceNode under, YamlSequenceNode over)
    {
        if (under.Children.Count == 0)
            return over;

        // Kairos looks at the first entry only.
        var merged = new List<YamlNode>(under.Children);
        foreach (var item in over)
        {
            if (under.Children[0] is YamlMappingNode || !merged.Any(known => IsSame(known, item)))
                merged.Add(item);
        }

        return new YamlSequenceNode(merged) { Style = under.Style };
    }

    /// <summary>Whether two trees mean the same, whatever their style. `5` and `"5"` don't, `a` and `"a"` do.</summary>
    public static bool IsSame(YamlNode a, YamlNode b) => (a, b) switch
    {
        (YamlScalarNode x, YamlScalarNode y) => (x.Value ?? "") == (y.Value ?? "") && TypeOf(x) == TypeOf(y),
        (YamlSequenceNode x, YamlSequenceNode y) => x.Children.Count == y.Children.Count && x.Zip(y).All(pair => IsSame(pair.First, pair.Second)),
        (YamlMappingNode x, YamlMappingNode y) => x.Children.Count == y.Children.Count
            && x.Zip(y).All(pair => IsSame(pair.First.Key, pair.Second.Key) && IsSame(pair.First.Value, pair.Second.Value)),
        _ => false,
    };

    private static bool IsMergeKey(YamlNode key) => key is YamlScalarNode { Value: "<<" } scalar && !IsQuoted(scalar);

    private static bool IsQuoted(YamlScalarNode scalar) => scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any);

    private static string TypeOf(YamlScalarNode scalar) => (scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific) switch
    {
        false => scalar.Tag.Value,
        _ when IsQuoted(scalar) || !NotText().IsMatch(scalar.Value ?? "") => "text",
        _ => "plain",
    };

    // Plain scalars that YAML 1.1 or 1.2 may take for something other than text: null, booleans, numbers, dates.
    [GeneratedRegex(@"\A(|~|null|true|false|yes|no|on|off|y|n|[-+.]?[0-9][0-9a-fxob_.:eEtTzZ +-]*|[-+]?\.(inf|nan))\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private static partial Regex NotText();
}
