using Crust.Spec;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Crust.Seeds.Documents;

/// <summary>Reads YAML that a user wrote as a tree that knows its places.</summary>
internal static class ConfigReader
{
    /// <param name="file">The file's name as the user gave it.</param>
    /// <returns>Null for a file that holds nothing but comments.</returns>
    /// <exception cref="CrustException">It doesn't parse, has a key twice, holds several documents, or is beyond the bounds of <see cref="BoundedYaml"/>.</exception>
    public static ConfigNode? Read(string text, string file) => YamlText.Parse(text, file) is { } root ? Resolve(root, file) : null;

    /// <summary>
    /// The tree with aliases replaced by what they stand for and merge keys (`&lt;&lt;`) by the keys they bring, as every
    /// reader of a cloud-config sees it. Without this, a generated key would win over one that the user merges in.
    /// </summary>
    /// <exception cref="CrustException">A merge key brings something else than keys.</exception>
    private static ConfigNode Resolve(YamlNode root, string file) => new Resolver(file).Resolve(root);

    // Ends: no anchor holds an alias of itself, and how much all aliases stand for is bounded (BoundedYaml).
    private sealed class Resolver(string file)
    {
        public ConfigNode Resolve(YamlNode node) => node switch
        {
            YamlMappingNode map => ResolveMap(map),
            YamlSequenceNode list => new ConfigList([.. list.Select(Resolve)], PlaceOf(node), list.Style, list.Tag),
            YamlScalarNode scalar => new ConfigScalar(scalar.Value ?? "", scalar.Style, PlaceOf(node), scalar.Tag),
            _ => throw new InvalidOperationException($"A {node.NodeType} has no place in a document."),
        };

        private ConfigMap ResolveMap(YamlMappingNode map)
        {
            var entries = map.Where(entry => !IsMergeKey(entry.Key)).Select(entry => new ConfigEntry(Resolve(entry.Key), Resolve(entry.Value))).ToList();
            HashSet<ConfigNode> known = new(entries.Select(entry => entry.Key), ConfigNode.ByMeaning);

            // A key beside << wins over one that << brings, and of several mappings the first (yaml.org/type/merge).
            foreach (var (_, value) in map.Where(entry => IsMergeKey(entry.Key)))
            {
                var brought = Resolve(value);
                foreach (var source in brought is ConfigList list ? list.Items : [brought])
                {
                    if (source is not ConfigMap merged)
                        throw Bad("<< doesn't stand before a mapping", value, "merge a mapping, or quote the key");
                    entries.AddRange(merged.Entries.Where(entry => known.Add(entry.Key)));
                }
            }

            return new ConfigMap([.. entries], PlaceOf(map), map.Style, map.Tag);
        }

        private static bool IsMergeKey(YamlNode key) => key is YamlScalarNode { Value: "<<", Style: ScalarStyle.Plain or ScalarStyle.Any };

        // A mapping without braces in a list in brackets, as in [echo: hello], has no mark of its own: it begins with its key.
        private Place PlaceOf(YamlNode node) => node is YamlMappingNode { Start.Index: 0, Children.Count: > 0 } map
            ? PlaceOf(map.First().Key)
            : new(file, (int)Math.Max(1, node.Start.Line), (int)Math.Max(1, node.Start.Column));

        private CrustException Bad(string what, YamlNode node, string remedy) => new(FailureKind.BadInput, what, PlaceOf(node).ToString(), remedy) { Rule = "yaml" };
    }
}
