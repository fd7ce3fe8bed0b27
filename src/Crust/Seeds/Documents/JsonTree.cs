using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using YamlDotNet.Core;

namespace Crust.Seeds.Documents;

/// <summary>Reads JSON as a tree that knows its places: texts as quoted scalars, all else as plain ones.</summary>
internal ref struct JsonTree
{
    private readonly byte[] _bytes;
    private readonly string _file;
    private Utf8JsonReader _reader;
    // Where the line begins that was looked at last: places come in their order.
    private int _line = 1;
    private int _lineStart;
    private int _seen;

    private JsonTree(byte[] bytes, string file, int mostDepth)
    {
        _bytes = bytes;
        _file = file;
        _reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = mostDepth });
    }

    /// <param name="file">What the user calls it.</param>
    /// <param name="mostDepth">How deep it may be nested.</param>
    /// <param name="twice">Makes the error of a key that stands twice: readers take the last without a word.</param>
    /// <exception cref="JsonException">It isn't JSON, or nested too deep.</exception>
    /// <exception cref="InvalidOperationException">A text isn't Unicode.</exception>
    public static ConfigNode Read(string text, string file, int mostDepth, Func<string, Place, CrustException> twice)
    {
        var tree = new JsonTree(Encoding.UTF8.GetBytes(text), file, mostDepth);
        tree._reader.Read();
        var root = tree.Node(twice);
        // What follows it is an error.
        while (tree._reader.Read())
        {
        }

        return root;
    }

    private ConfigNode Node(Func<string, Place, CrustException> twice)
    {
        var place = Here();
        switch (_reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entries = ImmutableArray.CreateBuilder<ConfigEntry>();
                var names = new HashSet<string>();
                while (_reader.Read() && _reader.TokenType is JsonTokenType.PropertyName)
                {
                    var key = new ConfigScalar(_reader.GetString()!, ScalarStyle.DoubleQuoted, Here());
                    if (!names.Add(key.Value))
                        throw twice(key.Value, key.Place);
                    _reader.Read();
                    entries.Add(new ConfigEntry(key, Node(twice)));
                }

                return new ConfigMap(entries.ToImmutable(), place);
            case JsonTokenType.StartArray:
                var items = ImmutableArray.CreateBuilder<ConfigNode>();
                while (_reader.Read() && _reader.TokenType is not JsonTokenType.EndArray)
                    items.Add(Node(twice));
                return new ConfigList(items.ToImmutable(), place);
            case JsonTokenType.String:
                return new ConfigScalar(_reader.GetString()!, ScalarStyle.DoubleQuoted, place);
            default:
                return new ConfigScalar(Encoding.UTF8.GetString(_reader.ValueSpan), ScalarStyle.Plain, place);
        }
    }

    private Place Here()
    {
        var at = (int)_reader.TokenStartIndex;
        for (; _seen < at; _seen++)
        {
            if (_bytes[_seen] == '\n')
                (_line, _lineStart) = (_line + 1, _seen + 1);
        }

        return new Place(_file, _line, Encoding.UTF8.GetCharCount(_bytes, _lineStart, at - _lineStart) + 1);
    }
}
