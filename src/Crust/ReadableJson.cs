using System.Text.Encodings.Web;
using System.Text.Json;

namespace Crust;

/// <summary>How Crust's documents for programs are written, which people read too: indented, with keys in camel case, and without the escapes that only HTML needs.</summary>
internal static class ReadableJson
{
    /// <summary>Fresh options, for one serializer context: that binds them to itself.</summary>
    public static JsonSerializerOptions Options() => new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
