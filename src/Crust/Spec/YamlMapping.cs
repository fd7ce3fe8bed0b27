using System.Collections.Immutable;
using YamlDotNet.RepresentationModel;

namespace Crust.Spec;

/// <summary>
/// A mapping of a YAML file, read key by key. Whoever reads it asks for each key that there may be, and then calls <see cref="End"/>, which refuses all others: so no key
/// is ever passed over, and each error names the file, the line, the column and the key.
/// </summary>
internal sealed class YamlMapping
{
    private readonly string _file;
    private readonly string _path;
    private readonly YamlMappingNode _node;

    // Where it stands in the file: itself, or the single value that is written in its place.
    private readonly YamlNode _place;
    private readonly List<string> _asked = [];

    private YamlMapping(string file, string path, YamlMappingNode node, YamlNode? place = null) => (_file, _path, _node, _place) = (file, path, node, place ?? node);

    /// <summary>Where it begins: `file:line:column, path`.</summary>
    public string Where => At(_place, "");

    /// <summary>The keys in the file's order.</summary>
    /// <exception cref="CrustException">One isn't a word.</exception>
    public ImmutableArray<string> Keys => [.. _node.Children.Keys.Select(key => key is YamlScalarNode { Value: { Length: > 0 } name } ? name : throw Bad(At(key, ""), "A key isn't a word", "write one word and a colon"))];

    /// <summary>Reads a file's text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="file">The file's name, for messages.</param>
    /// <param name="what">What it should be, with its article: "a recipe".</param>
    /// <exception cref="CrustException">It isn't YAML, or no mapping.</exception>
    public static YamlMapping Parse(string text, string file, string what) => YamlText.Parse(text, file) is YamlMappingNode mapping
        ? new YamlMapping(file, "", mapping)
        : throw new CrustException(FailureKind.BadInput, $"This isn't {what}: it has no keys", $"{file}:1:1", $"write {what}'s keys, one a line");

    /// <summary>The mapping at a path of a file.</summary>
    public static YamlMapping Of(YamlMappingNode node, string file, string path) => new(file, path, node);

    /// <summary>A key's value as text; null where the key isn't there or says nothing.</summary>
    /// <exception cref="CrustException">It is a list or a mapping.</exception>
    public string? Text(string key) => Find(key) switch
    {
        null => null,
        YamlScalarNode { Value: { } value } => value,
        var other => throw Bad(At(other, key), $"'{key}' takes one value, not {KindOf(other)}", $"write {key}: and the value behind it"),
    };

    /// <summary>The same, of a key that has to be there.</summary>
    /// <exception cref="CrustException">It isn't, or is no text.</exception>
    public string Required(string key) => Text(key) is { Length: > 0 } value ? value : throw Missing(key);

    /// <summary>A key's values: of a list, or of a single value the list with it alone; empty where the key isn't there.</summary>
    /// <exception cref="CrustException">One of them isn't text.</exception>
    public ImmutableArray<string> Texts(string key) => Find(key) switch
    {
        null => [],
        YamlScalarNode { Value: { } value } => [value],
        YamlSequenceNode list => [.. list.Children.Select(item => item is YamlScalarNode { Value: { } value } && !YamlText.IsNull(item) ? value
            : throw Bad(At(item, key), $"An entry of '{key}' isn't a single value", "write one value an entry"))],
        var other => throw Bad(At(other, key), $"'{key}' takes a list, not {KindOf(other)}", $"write {key}: [ … ]"),
    };

    /// <summary>Where the values of <see cref="Texts"/> stand in the file's text, in their order.</summary>
    public ImmutableArray<YamlSpan> Spans(string key) => Find(key) switch
    {
        YamlScalarNode one => [YamlSpan.Of(one)],
        YamlSequenceNode list => [.. list.Children.OfType<YamlScalarNode>().Select(YamlSpan.Of)],
        _ => [],
    };

    /// <summary>A mapping below it; null where the key isn't there.</summary>
    /// <exception cref="CrustException">It is something else.</exception>
    public YamlMapping? Mapping(string key) => Find(key) switch
    {
        null => null,
        YamlMappingNode mapping => new YamlMapping(_file, Below(key), mapping),
        var other => throw Bad(At(other, key), $"'{key}' takes a mapping, not {KindOf(other)}", "write keys below it, further to the right"),
    };

    /// <summary>Whether a key's value is a mapping.</summary>
    public bool HasMapping(string key) => Node(key) is YamlMappingNode;

    /// <summary>The mappings of a list; empty where the key isn't there.</summary>
    /// <exception cref="CrustException">It is something else.</exception>
    public ImmutableArray<YamlMapping> Mappings(string key) => Mappings(key, null);

    /// <summary>The same of a list in which a single value may stand for a mapping that has one key alone.</summary>
    /// <param name="shorthand">That key; null where no single value may stand there.</param>
    /// <exception cref="CrustException">It is something else.</exception>
    public ImmutableArray<YamlMapping> Mappings(string key, string? shorthand) => Find(key) switch
    {
        null => [],
        YamlSequenceNode list => [.. list.Children.Select((item, i) => item switch
        {
            YamlMappingNode mapping => new YamlMapping(_file, $"{Below(key)}[{i}]", mapping),
            YamlScalarNode value when shorthand is not null && !YamlText.IsNull(value) =>
                new YamlMapping(_file, $"{Below(key)}[{i}]", new YamlMappingNode(new YamlScalarNode(shorthand), value), value),
            _ => throw Bad(At(item, $"{key}[{i}]"), $"An entry of '{key}' is {KindOf(item)}, not a mapping", "write keys and values: { key: value }"),
        })],
        var other => throw Bad(At(other, key), $"'{key}' takes a list of mappings, not {KindOf(other)}", $"write {key}: and below it lines that begin with a dash"),
    };

    /// <summary>Refuses the keys that nobody has asked for.</summary>
    /// <exception cref="CrustException">There is one.</exception>
    public void End()
    {
        if (Keys.FirstOrDefault(key => !_asked.Contains(key)) is { } unknown)
        {
            throw Bad(At(_node.Children.Keys.First(key => key is YamlScalarNode { Value: var name } && name == unknown), unknown), $"There is no key '{unknown}' here", Nearest.Suggest(unknown, _asked));
        }
    }

    /// <summary>Where a key's value stands: `file:line:column, path`.</summary>
    public string WhereOf(string key) => At(Node(key) ?? _place, key);

    /// <summary>The error that a value is wrong.</summary>
    public CrustException Wrong(string key, string what, string remedy) => Bad(WhereOf(key), what, remedy);

    private CrustException Missing(string key) => Bad(Where, $"The key '{key}' is missing", $"write {key}: and its value");

    private YamlNode? Find(string key)
    {
        _asked.Add(key);
        return Node(key) is { } node && !YamlText.IsNull(node) ? node : null;
    }

    private YamlNode? Node(string key) => _node.Children.FirstOrDefault(child => child.Key is YamlScalarNode { Value: var name } && name == key).Value;

    private string Below(string key) => _path.Length == 0 ? key : $"{_path}.{key}";

    private string At(YamlNode node, string key) => YamlText.At(_file, node.Start) + (Below(key).TrimEnd('.') is { Length: > 0 } path ? $", {path}" : "");

    private static string KindOf(YamlNode node) => node is YamlMappingNode ? "a mapping" : node is YamlSequenceNode ? "a list" : "one value";

    private static CrustException Bad(string where, string what, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
