using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Crust.Seeds.Documents;

/// <summary>A key at the top of an Ignition configuration.</summary>
/// <param name="Name">The key.</param>
/// <param name="Place">Where it stands.</param>
/// <param name="Value">What stands under it.</param>
internal sealed record IgnitionKey(string Name, Place Place, JsonElement Value);

/// <summary>Ignition's JSON, as far as it is the same in all versions 3.x ("Configuration Specification v3").</summary>
internal static partial class IgnitionConfig
{
    /// <summary>The keys that it has at its top.</summary>
    public static readonly ImmutableArray<string> KnownKeys = ["ignition", "kernelArguments", "passwd", "storage", "systemd"];

    // .NET's own bound, said here so that it can be told.
    private const int MostDepth = 64;

    /// <summary>Reads a configuration.</summary>
    /// <param name="text">The file's content.</param>
    /// <param name="file">What the user calls it, for messages.</param>
    /// <returns>Its top.</returns>
    /// <exception cref="CrustException">It isn't JSON, or not Ignition's of a version 3.x.</exception>
    public static ImmutableArray<IgnitionKey> Read(string text, string file)
    {
        if (ButaneHeader().Match(text) is { Success: true } header && !text.TrimStart().StartsWith('{'))
            throw Bad($"This is Butane's YAML (variant: {header.Groups["variant"].Value}), and Ignition reads JSON", PlaceAt(text, header.Index, file), $"translate it: butane --strict {file} > config.ign");

        try
        {
            return ReadJson(text, file);
        }
        catch (JsonException e)
        {
            var (line, column) = ((int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
            var place = new Place(file, line, column);
            throw e.Message.Contains("maximum configured depth", StringComparison.Ordinal)
                ? Bad($"Lists and objects are nested more than {MostDepth} deep", place, "write it flatter: Ignition's own keys are at most 6 deep", e)
                : Bad($"This isn't JSON: {Reason(e.Message)}", place, "mend it; what Butane writes (butane --strict) is JSON", e);
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair, by its escape: "\ud800".
            throw Bad("This isn't JSON: a text in it isn't Unicode", new Place(file, 1, 1), "mend it; what Butane writes (butane --strict) is JSON", e);
        }
    }

    private static ImmutableArray<IgnitionKey> ReadJson(string text, string file)
    {
        var keys = Keys(text, file);
        var version = keys.FirstOrDefault(key => key.Name == "ignition") is { Value.ValueKind: JsonValueKind.Object } ignition && ignition.Value.TryGetProperty("version", out var found) ? found : default;
        var at = keys.FirstOrDefault(key => key.Name == "ignition")?.Place ?? new Place(file, 1, 1);
        return version.ValueKind is not JsonValueKind.String ? throw Bad("This isn't Ignition's configuration: it has no ignition.version", at, "write { \"ignition\": { \"version\": \"3.4.0\" } }, or translate Butane's YAML: butane --strict")
            : !Version3().IsMatch(version.GetString()!) ? throw Bad($"Ignition's version '{version.GetString()}' isn't 3.x, which all systems of today read", at, "translate it: ign-converter makes 3.x of 2.x")
            : keys;
    }

    // Of a key that stands twice, Ignition would take the last without a word.
    private static ImmutableArray<IgnitionKey> Keys(string text, string file)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = MostDepth });
        reader.Read();
        if (reader.TokenType is not JsonTokenType.StartObject)
            throw Bad("This isn't Ignition's configuration: it isn't an object", new Place(file, 1, 1), "write { \"ignition\": { \"version\": \"3.4.0\" } }");

        var keys = ImmutableArray.CreateBuilder<IgnitionKey>();
        while (reader.Read() && reader.TokenType is JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            var place = PlaceAt(text, Encoding.UTF8.GetCharCount(bytes, 0, (int)reader.TokenStartIndex), file);
            if (keys.Any(key => key.Name == name))
                throw Bad($"The key '{name}' stands twice", place, "keep one of the two");
            reader.Read();
            keys.Add(new IgnitionKey(name, place, JsonElement.ParseValue(ref reader)));
        }

        // What follows the object.
        while (reader.Read())
        {
        }

        return keys.ToImmutable();
    }

    private static Place PlaceAt(string text, int index, string file)
    {
        var before = text.AsSpan(0, index);
        return new(file, before.Count('\n') + 1, index - before.LastIndexOf('\n'));
    }

    // .NET ends it with where, which is said already.
    private static string Reason(string message) => message.Split(" LineNumber:")[0].TrimEnd('.') is { Length: > 0 } reason ? char.ToLowerInvariant(reason[0]) + reason[1..] : "it ends too early";

    private static CrustException Bad(string what, Place place, string remedy, Exception? inner = null) => new(FailureKind.BadInput, what, $"{place}", remedy, inner) { Rule = "ignition" };

    [GeneratedRegex(@"^variant:[ \t]*[""']?(?<variant>[a-z0-9-]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex ButaneHeader();

    // Semantic Versioning 2.0.0.
    [GeneratedRegex(@"\A3\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Version3();
}
