using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Text.Json;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Schemas;

/// <summary>
/// cloud-init's schema as its code obeys it. cloud-init only logs a warning where a document breaks the schema, and its modules read on: what they take all the
/// same is a warning here, too (builder/schemas/cloud-init-code.json says where), and what they drop is an error.
/// </summary>
internal static partial class CloudInitSchema
{
    /// <summary>The version of the reference system's cloud-init: Debian 12's.</summary>
    public const string ReferenceVersion = "22.4.2";

    private static readonly Lazy<Code> Known = new(Load);

    /// <summary>Keys at the top that came after the schema.</summary>
    public static IEnumerable<string> NewerKeys => Known.Value.Newer.Where(key => !key.Contains('.', StringComparison.Ordinal));

    /// <param name="document">A cloud-config, or a part of one.</param>
    /// <param name="path">Where it stands, for messages; empty for a whole document.</param>
    public static ImmutableArray<Violation> Run(ConfigMap document, string path = "") =>
        [.. SchemaCheck.Run(SchemaLibrary.CloudConfig, document, path).Select(violation => IsTaken(violation, path) ? violation with { IsWarning = true } : violation)];

    /// <summary>What the reference system's version doesn't know yet, and the newer one does. All warnings.</summary>
    public static IEnumerable<Violation> NewerThanReference(ConfigMap document)
    {
        var newer = SchemaCheck.Run(SchemaLibrary.CloudConfig, document).Select(violation => violation.Place).ToHashSet();
        var known = SchemaLibrary.ReferenceCloudConfig.KnownKeys().ToHashSet();
        var atTop = document.Entries.Where(entry => entry.Name is { } name && !known.Contains(name) && !Known.Value.Unlisted.Contains(name) && SchemaLibrary.CloudConfig.KnownKeys().Contains(name))
            .Select(entry => Newer(entry.Name!, entry.Key.Place));
        var below = SchemaCheck.Run(SchemaLibrary.ReferenceCloudConfig, document)
            .Where(violation => violation.Fault is Fault.UnknownKey || (violation.Fault is Fault.WrongType && violation.Given is ValueKinds.Object))
            .Where(violation => !newer.Contains(violation.Place) && !Known.Value.Unlisted.Contains(Index().Replace(violation.Path, "[]"))).Select(violation => Newer(violation.Path, violation.Place));
        return atTop.Concat(below);
    }

    private static Violation Newer(string path, Place place)
    {
        var what = $"The reference system's cloud-init ({ReferenceVersion}) doesn't know '{path}' yet, and takes no notice of it";
        return new Violation(Fault.UnknownKey, path, place, what, "do it in another way, such as runcmd") { IsWarning = true };
    }

    private static bool IsTaken(Violation violation, string above)
    {
        var key = Index().Replace(above.Length == 0 ? violation.Path : violation.Path[Math.Min(violation.Path.Length, above.Length + 1)..], "[]");
        var known = Known.Value;
        return violation.Fault switch
        {
            Fault.WrongType => (known.Takes.TryGetValue(key, out var kinds) && (kinds & violation.Given) != 0) || (violation.Given is ValueKinds.Array && known.Newer.Contains($"{key}[]")),
            Fault.UnknownKey => known.Newer.Contains(key),
            // An empty list does nothing, and does no harm; nor does an entry that is there twice.
            Fault.WrongValue => violation.IsEmptyOrTwice,
            _ => false,
        };
    }

    private static Code Load()
    {
        using var document = JsonDocument.Parse(SchemaLibrary.Bytes("cloud-init-code"));
        var root = document.RootElement;
        var takes =
            from entry in root.GetProperty("takes").EnumerateArray()
            let kinds = entry.GetProperty("kinds").EnumerateArray().Aggregate(ValueKinds.Nothing, (kinds, word) => kinds | Enum.Parse<ValueKinds>(word.GetString()!, ignoreCase: true))
            from key in entry.GetProperty("keys").EnumerateArray()
            select (Key: key.GetString()!, Kinds: kinds);
        return new Code(takes.ToFrozenDictionary(entry => entry.Key, entry => entry.Kinds), root.GetProperty("newer").EnumerateArray().Select(key => key.GetString()!).ToFrozenSet(),
            root.GetProperty("unlisted").EnumerateArray().Select(key => key.GetString()!).ToFrozenSet());
    }

    [GeneratedRegex(@"\[[0-9]+\]")]
    private static partial Regex Index();

    private sealed record Code(FrozenDictionary<string, ValueKinds> Takes, FrozenSet<string> Newer, FrozenSet<string> Unlisted);
}
