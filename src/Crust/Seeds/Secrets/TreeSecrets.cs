using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Secrets;

/// <summary>A value of a document that is secret, or has secrets in it.</summary>
/// <param name="Path">Its path: `users[0].passwd`.</param>
/// <param name="Node">The value.</param>
/// <param name="Parts">What of it is secret; all of it, as a rule.</param>
internal sealed record TreeSecret(string Path, ConfigScalar Node, ImmutableArray<FoundSecret> Parts)
{
    /// <summary>Whether nothing of it may be seen.</summary>
    public bool IsWhole => Parts is [{ Start: 0 } only] && only.Length == Node.Value.Length;

    /// <summary>What nobody may see, also in the forms that it is decoded to.</summary>
    public IEnumerable<string> Values => Parts.SelectMany(part => part.ValuesIn(Node.Value));
}

/// <summary>
/// Secrets in a document of keys and values, whoever reads it: cloud-init, Kairos, Elemental, stylus, Ubuntu's installer, netplan, Ignition, Docker, Kubernetes.
/// </summary>
internal sealed class TreeSecrets
{
    private readonly List<TreeSecret> _found = [];

    private TreeSecrets()
    {
    }

    /// <summary>All of a document's, keys that are secret among them.</summary>
    public static ImmutableArray<TreeSecret> In(ConfigNode root)
    {
        var secrets = new TreeSecrets();
        secrets.Visit(root, new Context("", [], "", IsInside: false, IsAll: false));
        return [.. secrets._found];
    }

    /// <summary>The document with a mask in place of its secrets.</summary>
    public static ConfigNode Mask(ConfigNode root, ImmutableArray<TreeSecret> found, Func<TreeSecret, ConfigScalar> mask)
    {
        var masks = found.GroupBy(secret => secret.Node, ReferenceComparer.Instance).ToDictionary(group => group.Key, group => mask(group.First()), ReferenceComparer.Instance);
        return masks.Count == 0 ? root : Apply(root);

        ConfigNode Apply(ConfigNode node) => node switch
        {
            ConfigMap map => map.With([.. map.Entries.Select(entry => new ConfigEntry(Apply(entry.Key), Apply(entry.Value)))]),
            ConfigList list => list.With([.. list.Items.Select(Apply)]),
            ConfigScalar scalar => masks.GetValueOrDefault(scalar, scalar),
            _ => node,
        };
    }

    private void Visit(ConfigNode node, Context at)
    {
        switch (node)
        {
            case ConfigMap map:
                var file = SecretRules.PathIn(map) ?? at.File;
                foreach (var entry in map.Entries)
                {
                    var name = entry.Name ?? "?";
                    if (entry.Key is ConfigScalar { IsNull: false } key && Look(key, at with { Path = ConfigTree.Join(at.Path, "…"), IsInside = false }, isKey: true))
                        name = "…";
                    var isAll = at.IsAll || (name is "data" or "stringData" && SecretRules.Says(map, "kind", "Secret"));
                    Visit(entry.Value, new Context(ConfigTree.Join(at.Path, name), at.Names.Push(name), file, isAll || IsInside(at, name, entry.Value, map), isAll) { Map = map });
                }

                break;
            case ConfigList list:
                for (var i = 0; i < list.Items.Length; i++)
                {
                    // A command in words: what follows --password is one.
                    var follows = i > 0 && list.Items[i - 1] is ConfigScalar { Value: ['-', ..] option } && !option.Contains('=') && !option.Contains(' ')
                        && SecretNames.IsSecret(option.TrimStart('-'));
                    Visit(list.Items[i], at with { Path = $"{at.Path}[{i}]", IsInside = at.IsInside || (follows && list.Items[i] is ConfigScalar { Value: not ['-', ..] }) });
                }

                break;
            case ConfigScalar { IsNull: false } scalar:
                Look(scalar, at, isKey: false);
                break;
        }
    }

    private static bool IsInside(Context at, string name, ConfigNode value, ConfigMap map)
    {
        if (at.IsInside)
            return !SecretNames.IsLabel(name);
        if (SecretRules.IsByPlace(name, at.Names, map, value))
            return true;
        // What is a mapping below `authorization` or `passwd` are settings; a list of passwords is one of secrets.
        return value is ConfigScalar ? SecretNames.IsSecret(name) : value is ConfigList { Items: [ConfigScalar, ..] } ? SecretNames.IsSecret(name) || SecretNames.IsContainer(name)
            : SecretNames.IsContainer(name);
    }

    // Whether there is something.
    private bool Look(ConfigScalar scalar, Context at, bool isKey)
    {
        var name = at.Names.IsEmpty ? "" : at.Names.Peek();
        var value = scalar.Value;
        var isWhole = scalar.IsSecret || (at.IsInside && !SecretNames.IsHarmless(name, value));
        var decoded = isKey ? null : Decoded(scalar, at);
        var inDecoded = decoded is null ? [] : FileSecrets.In(at.File, decoded).SelectMany(found => found.ValuesIn(decoded)).ToImmutableArray();
        if (isWhole || !inDecoded.IsEmpty)
        {
            ImmutableArray<string> forms = [.. inDecoded, .. isWhole ? SecretRules.FormsOf(name, value) : []];
            _found.Add(new TreeSecret(at.Path, scalar, [new FoundSecret(0, value.Length, at.Path) { Forms = forms }]));
            return true;
        }

        var parts = name == "list" && at.Names.Pop() is { IsEmpty: false } above && above.Peek() == "chpasswd" ? [.. TextSecrets.AccountLines(value, 0, value.Length)]
            : !isKey && at.File.Length > 0 && name is "content" or "contents" or "inline" ? FileSecrets.In(at.File, value)
            : TextSecrets.In(value);
        if (!parts.IsEmpty)
            _found.Add(new TreeSecret(at.Path, scalar, parts));
        return !parts.IsEmpty;
    }

    private static string? Decoded(ConfigScalar scalar, Context at) =>
        scalar.HasTag && scalar.Tag.Value.EndsWith("binary", StringComparison.Ordinal) ? Encodings.FromBase64(scalar.Value, isGzip: false)
        : Encodings.OfDataUrl(scalar.Value)
        ?? (at.Map is { } map && ConfigTree.Find(map, "encoding") is ConfigScalar encoding ? Encodings.Decode(scalar.Value, encoding.Value) : null);

    /// <param name="Path">The whole path.</param>
    /// <param name="Names">The keys above it, the nearest first.</param>
    /// <param name="File">The path or name of the file that it belongs to; empty for none.</param>
    /// <param name="IsInside">Whether it is secret for what is above it.</param>
    /// <param name="IsAll">Whether all below it is, whatever its name.</param>
    private sealed record Context(string Path, ImmutableStack<string> Names, string File, bool IsInside, bool IsAll)
    {
        public ConfigMap? Map { get; init; }
    }

    private sealed class ReferenceComparer : IEqualityComparer<ConfigScalar>
    {
        public static readonly ReferenceComparer Instance = new();

        public bool Equals(ConfigScalar? x, ConfigScalar? y) => ReferenceEquals(x, y);

        public int GetHashCode(ConfigScalar obj) => RuntimeHelpers.GetHashCode(obj);
    }
}
