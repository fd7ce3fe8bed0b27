using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;

namespace Crust.Seeds.Schemas;

/// <summary>The questions of Debian's installer that its guide names, and their types: builder/schemas/preseed.json. Packages have others.</summary>
internal static class PreseedQuestions
{
    private static readonly Lazy<(ImmutableArray<string> Types, FrozenDictionary<string, string> Questions)> Loaded = new(Load);

    public static ImmutableArray<string> Types => Loaded.Value.Types;

    /// <summary>The known questions' types, by name.</summary>
    public static FrozenDictionary<string, string> TypeOf => Loaded.Value.Questions;

    private static (ImmutableArray<string> Types, FrozenDictionary<string, string> Questions) Load()
    {
        using var document = JsonDocument.Parse(SchemaLibrary.Bytes("preseed"));
        var root = document.RootElement;
        return (
            [.. root.GetProperty("types").EnumerateArray().Select(type => type.GetString()!)],
            root.GetProperty("questions").EnumerateObject().ToFrozenDictionary(question => question.Name, question => question.Value.GetString()!));
    }
}
