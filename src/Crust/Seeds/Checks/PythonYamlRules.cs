using System.Globalization;
using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>
/// What PyYAML's safe loader, by which cloud-init and Ubuntu's installer read, refuses in YAML that others take. One such value, and the whole document is dropped
/// (cloudinit/util.py, load_yaml; yaml/constructor.py, SafeConstructor).
/// </summary>
internal static class PythonYamlRules
{
    public static readonly SeedRule Tag = new("yaml-tag", SeedSeverity.Error,
        "YAML that PyYAML's safe loader, and so cloud-init, refuses as a whole: a tag that it doesn't know, a value that isn't what its tag or form says, a key that is a list or a mapping",
        "permissions: !str 0755", "leave out the tag, or put the value in quotes")
    { WarnsOnly = "where it isn't known that cloud-init reads it" };

    private const string Core = "tag:yaml.org,2002:";

    private static readonly string[] ScalarTags = ["null", "bool", "int", "float", "binary", "timestamp", "str"];

    private static readonly string[] ListTags = ["omap", "pairs", "seq"];

    private static readonly string[] MapTags = ["set", "map"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not (SeedKind.Nocloud or SeedKind.Autoinstall) || request.Profile is not (null or SeedProfile.Debian))
            return [];

        // What isn't a cloud-config goes as it is, and only cloud-init reads it.
        if (request.Profile is null && request.Files.UserData.FirstOrDefault(document => document.Config is null) is { } other)
            return [DocumentRules.Header.Warn(new Place(other.Path, 1, 1), $"This is {UserDataHeader.Of(other.Text)}, which cloud-init alone reads",
                "set seed.profile to debian if it is cloud-init that reads it, else write a #cloud-config")];

        var network = request is { Spec.Seed.NetworkConfig: { } path, Files.NetworkConfig: { } text } ? ConfigReader.Read(text, path) : null;
        var documents = request.Files.UserData.Select(document => (ConfigNode?)document.Config).Append(network).OfType<ConfigNode>();
        return documents.SelectMany(Nodes)
            .Select(node => (Node: node, Wrong: WrongWith(node)))
            .Where(pair => pair.Wrong is not null)
            .Select(pair => request.IsCloudInit ? Tag.At(pair.Node, pair.Wrong!) : Tag.Warn(pair.Node.Place, $"{pair.Wrong}, if it is cloud-init"))
            .Distinct();
    }

    private static IEnumerable<ConfigNode> Nodes(ConfigNode node) => node switch
    {
        ConfigMap map => map.Entries.SelectMany(entry => (entry.Key is ConfigScalar ? Nodes(entry.Key) : [entry.Key]).Concat(Nodes(entry.Value))).Prepend(map),
        ConfigList list => list.Items.SelectMany(Nodes).Prepend(list),
        _ => [node],
    };

    private static string? WrongWith(ConfigNode node)
    {
        var tag = node.Tag.IsEmpty || node.Tag.IsNonSpecific ? null : node.Tag.Value;
        var known = node switch { ConfigScalar => ScalarTags, ConfigList => ListTags, _ => MapTags };
        if (tag is not null && !(tag.StartsWith(Core, StringComparison.Ordinal) && known.Contains(tag[Core.Length..])))
            return $"The reader has no use for the tag {Shown(tag)} here, and drops the whole file";
        if (node is ConfigMap map && map.Entries.FirstOrDefault(entry => entry.Key is not ConfigScalar) is not null)
            return "A key is a list or a mapping, and the reader drops the whole file";
        return node is ConfigScalar scalar && !IsValue(scalar) ? "This isn't a value of the kind that it looks like, and the reader drops the whole file" : null;
    }

    private static string Shown(string tag) => tag.StartsWith(Core, StringComparison.Ordinal) ? $"!!{tag[Core.Length..]}" : tag;

    private static bool IsValue(ConfigScalar scalar)
    {
        // `=` and `<<` by themselves have tags of their own.
        if (!scalar.HasTag && !scalar.IsQuoted && scalar.Value is "=" or "<<")
            return false;
        return PlainScalar.KindOf(scalar) switch
        {
            ValueKinds.Date => IsDate(scalar.Value),
            ValueKinds.Integer => scalar.Value.Contains(':', StringComparison.Ordinal) || IsInteger(scalar.Value),
            ValueKinds.Number => !scalar.HasTag || scalar.Value.Contains(':', StringComparison.Ordinal) || scalar.Value.TrimStart('+', '-').ToLowerInvariant() is ".inf" or ".nan"
                || double.TryParse(scalar.Value.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out _),
            ValueKinds.Boolean => scalar.Value.ToLowerInvariant() is "yes" or "no" or "true" or "false" or "on" or "off",
            _ => !scalar.HasTag || scalar.Tag.Value != Core + "binary"
                || Convert.TryFromBase64String(string.Concat(scalar.Value.Where(c => !char.IsWhiteSpace(c))), new byte[scalar.Value.Length], out _),
        };
    }

    // Python's own dates: a month has its days only.
    private static bool IsDate(string text) => DateOnly.TryParseExact(text[..Math.Min(10, text.Length)].TrimEnd('T', 't', ' '), ["yyyy-M-d"], CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
        || (text.Length > 10 && DateTime.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out _));

    private static bool IsInteger(string text)
    {
        var digits = text.Replace("_", "", StringComparison.Ordinal).TrimStart('+', '-');
        return digits.StartsWith("0b", StringComparison.Ordinal) ? digits.Length > 2 && digits[2..].All(c => c is '0' or '1')
            : digits.StartsWith("0x", StringComparison.Ordinal) ? digits.Length > 2 && digits[2..].All(char.IsAsciiHexDigit)
            : digits.Length > 0 && digits.All(c => char.IsAsciiDigit(c) && (digits[0] != '0' || c < '8'));
    }
}
