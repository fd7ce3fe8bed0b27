using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Crust.Sanitizing;

/// <summary>How Crust's documents for programs are written, which people read too: indented, with keys in camel case, and without the escapes that only HTML needs.</summary>
internal static class ReadableJson
{
    /// <summary>The same with clean texts, for documents in which others have a say: the lines of a text stay, since JSON escapes what parts them.</summary>
    public static JsonSerializerOptions CleanOptions()
    {
        var options = Options();
        options.Converters.Add(new Clean());
        return options;
    }

    /// <summary>Fresh options, for one serializer context: that binds them to itself.</summary>
    public static JsonSerializerOptions Options() => new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed class Clean : JsonConverter<string>
    {
        public override string? Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString();

        public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WriteStringValue(CleanText.Block(value));

        public override string ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString()!;

        public override void WriteAsPropertyName(Utf8JsonWriter writer, string value, JsonSerializerOptions options) => writer.WritePropertyName(CleanText.Line(value));
    }
}
