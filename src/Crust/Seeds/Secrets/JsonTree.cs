using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using Crust.Seeds.Documents;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Crust.Seeds.Secrets;

/// <summary>JSON as a tree whose parts know where they stand.</summary>
internal static class JsonTree
{
    /// <summary>The tree; null for what isn't JSON, or nests too deeply.</summary>
    public static ConfigNode? TryRead(string text, string file)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
            var lines = new Lines(bytes, file);
            return reader.Read() && Value(ref reader, lines) is { } root && !reader.Read() ? root : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ConfigNode Value(ref Utf8JsonReader reader, Lines lines)
    {
        var place = lines.PlaceOf((int)reader.TokenStartIndex);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var entries = ImmutableArray.CreateBuilder<ConfigEntry>();
                while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
                {
                    var key = new ConfigScalar(reader.GetString()!, ScalarStyle.DoubleQuoted, lines.PlaceOf((int)reader.TokenStartIndex));
                    reader.Read();
                    entries.Add(new ConfigEntry(key, Value(ref reader, lines)));
                }

                return new ConfigMap(entries.ToImmutable(), place, MappingStyle.Flow);
            case JsonTokenType.StartArray:
                var items = ImmutableArray.CreateBuilder<ConfigNode>();
                while (reader.Read() && reader.TokenType is not JsonTokenType.EndArray)
                    items.Add(Value(ref reader, lines));
                return new ConfigList(items.ToImmutable(), place, SequenceStyle.Flow);
            case JsonTokenType.String:
                return new ConfigScalar(reader.GetString()!, ScalarStyle.DoubleQuoted, place);
            default:
                return new ConfigScalar(Encoding.UTF8.GetString(reader.ValueSpan), ScalarStyle.Plain, place);
        }
    }

    // Offsets come in their order, so that each line is counted once.
    private sealed class Lines(byte[] bytes, string file)
    {
        private int _line = 1;
        private int _lineStart;
        private int _at;

        public Place PlaceOf(int offset)
        {
            for (; _at < offset; _at++)
            {
                if (bytes[_at] == '\n')
                    (_line, _lineStart) = (_line + 1, _at + 1);
            }

            return new Place(file, _line, Encoding.UTF8.GetCharCount(bytes, _lineStart, offset - _lineStart) + 1);
        }
    }
}
