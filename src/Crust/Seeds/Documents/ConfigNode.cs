using System.Collections.Immutable;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Crust.Seeds.Documents;

/// <summary>
/// A part of a configuration document, which knows where it comes from. What a user wrote keeps its type and its quotes: as an object, `"0644"` would
/// come back as a number. Nodes never change; equality is that of references, and <see cref="IsSame"/> that of meaning.
/// </summary>
internal abstract partial class ConfigNode(Place place, TagName tag)
{
    public Place Place { get; } = place;

    /// <summary>Its explicit tag, such as `!!binary`; empty for none.</summary>
    public TagName Tag { get; } = tag;

    /// <summary>Whether it says "nothing": `key:`, `key: ~` or `key: null`.</summary>
    public bool IsNull => this is ConfigScalar { IsQuoted: false, Value: "" or "~" or "null" or "Null" or "NULL" };

    /// <summary>Whether two trees mean the same, whatever their style. `5` and `"5"` don't, `a` and `"a"` do.</summary>
    public static bool IsSame(ConfigNode a, ConfigNode b) => (a, b) switch
    {
        (ConfigScalar x, ConfigScalar y) => x.Value == y.Value && TypeOf(x) == TypeOf(y),
        (ConfigList x, ConfigList y) => x.Items.Length == y.Items.Length && x.Items.Zip(y.Items).All(pair => IsSame(pair.First, pair.Second)),
        (ConfigMap x, ConfigMap y) => x.Entries.Length == y.Entries.Length
            && x.Entries.Zip(y.Entries).All(pair => IsSame(pair.First.Key, pair.Second.Key) && IsSame(pair.First.Value, pair.Second.Value)),
        _ => false,
    };

    /// <summary><see cref="IsSame"/>, for sets.</summary>
    public static IEqualityComparer<ConfigNode> ByMeaning { get; } = EqualityComparer<ConfigNode>.Create(
        (a, b) => a is not null && b is not null && IsSame(a, b),
        // Those that hold others are rarely keys, and many of them more rarely still.
        node => node switch { ConfigScalar scalar => HashCode.Combine(scalar.Value, TypeOf(scalar)), ConfigList list => list.Items.Length, ConfigMap map => -map.Entries.Length, _ => 0 });

    private static string TypeOf(ConfigScalar scalar) => scalar.HasTag ? scalar.Tag.Value : scalar.IsText ? "text" : "plain";

    // Plain scalars that YAML 1.1 or 1.2 may take for something other than text: null, booleans, numbers, dates.
    [GeneratedRegex(@"\A(|~|null|true|false|yes|no|on|off|y|n|[-+.]?[0-9][0-9a-fxob_.:eEtTzZ +-]*|[-+]?\.(inf|nan))\z", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture)]
    private protected static partial Regex NotText();
}

internal sealed class ConfigScalar(string value, ScalarStyle style, Place place, TagName tag = default) : ConfigNode(place, tag)
{
    /// <summary>Its text, without quotes.</summary>
    public string Value { get; } = value;

    public ScalarStyle Style { get; } = style;

    /// <summary>Whether it is quoted or a block, and so text whatever it looks like.</summary>
    public bool IsQuoted => Style is not (ScalarStyle.Plain or ScalarStyle.Any);

    /// <summary>Whether it has a tag of its own, such as `!!binary`.</summary>
    public bool HasTag => !Tag.IsEmpty && !Tag.IsNonSpecific;

    /// <summary>Whether every reader takes it for text.</summary>
    public bool IsText => !HasTag && (IsQuoted || !NotText().IsMatch(Value));

    /// <summary>Whether it says "true" as YAML 1.1 or 1.2 does.</summary>
    public bool IsTrue => !IsQuoted && Value.ToLowerInvariant() is "true" or "yes" or "on";

    /// <summary>Whether nobody may see it: it came from a <see cref="Spec.Secret"/>, or is made of one.</summary>
    public bool IsSecret { get; init; }
}

internal sealed class ConfigList(ImmutableArray<ConfigNode> items, Place place, SequenceStyle style = SequenceStyle.Any, TagName tag = default) : ConfigNode(place, tag)
{
    public ImmutableArray<ConfigNode> Items { get; } = items;

    public SequenceStyle Style { get; } = style;

    public ConfigList With(ImmutableArray<ConfigNode> items) => new(items, Place, Style, Tag);
}

/// <summary>A mapping, in its order. No two keys mean the same.</summary>
internal sealed class ConfigMap(ImmutableArray<ConfigEntry> entries, Place place, MappingStyle style = MappingStyle.Any, TagName tag = default) : ConfigNode(place, tag)
{
    public static readonly ConfigMap Empty = new([], Place.Default);

    public ImmutableArray<ConfigEntry> Entries { get; } = entries;

    public MappingStyle Style { get; } = style;

    public ConfigMap With(ImmutableArray<ConfigEntry> entries) => new(entries, Place, Style, Tag);
}

internal sealed record ConfigEntry(ConfigNode Key, ConfigNode Value)
{
    /// <summary>The key where it is a word, as all that Crust knows are; else null.</summary>
    public string? Name => (Key as ConfigScalar)?.Value;
}
