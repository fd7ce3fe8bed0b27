using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Schemas;

/// <summary>
/// What the readers of a seed take a scalar for. PyYAML's resolver is YAML 1.1 (yaml.org/type) without `y` and `n`; for Go's see <see cref="GoScalar"/>.
/// </summary>
internal static partial class PlainScalar
{
    private const string Core = "tag:yaml.org,2002:";

    /// <summary>All that a reader can take a node for.</summary>
    public static ValueKinds KindsOf(ConfigNode node, YamlDialect dialect) => node switch
    {
        ConfigMap => ValueKinds.Object,
        ConfigList => ValueKinds.Array,
        ConfigScalar scalar when dialect is YamlDialect.Python => KindOf(scalar),
        ConfigScalar scalar => GoScalar.KindsOf(scalar),
        _ => ValueKinds.Nothing,
    };

    /// <summary>What PyYAML takes a scalar for.</summary>
    public static ValueKinds KindOf(ConfigScalar scalar)
    {
        if (!scalar.Tag.IsEmpty && !scalar.Tag.IsNonSpecific)
        {
            return scalar.Tag.Value switch
            {
                Core + "int" => ValueKinds.Integer,
                Core + "float" => ValueKinds.Number,
                Core + "bool" => ValueKinds.Boolean,
                Core + "null" => ValueKinds.Null,
                Core + "timestamp" => ValueKinds.Date,
                _ => ValueKinds.String,
            };
        }

        return scalar switch
        {
            { IsQuoted: true } => ValueKinds.String,
            { IsNull: true } => ValueKinds.Null,
            _ when Boolean().IsMatch(scalar.Value) => ValueKinds.Boolean,
            _ when Integer().IsMatch(scalar.Value) => ValueKinds.Integer,
            _ when Float().IsMatch(scalar.Value) => ValueKinds.Number,
            _ when Timestamp().IsMatch(scalar.Value) => ValueKinds.Date,
            _ => ValueKinds.String,
        };
    }

    /// <summary>The number that a whole number stands for: 420 for `0644`. Null for what is too large, or in base 60.</summary>
    public static long? IntegerOf(ConfigScalar scalar)
    {
        var text = scalar.Value.Replace("_", "", StringComparison.Ordinal);
        var sign = text.StartsWith('-') ? -1 : 1;
        var digits = text.TrimStart('+', '-');
        try
        {
            return digits switch
            {
                ['0', 'x', .. var hex] => sign * Convert.ToInt64(hex, 16),
                ['0', 'b', .. var binary] => sign * Convert.ToInt64(binary, 2),
                ['0', 'o', .. var octal] => sign * Convert.ToInt64(octal, 8),
                ['0', _, ..] => sign * Convert.ToInt64(digits, 8),
                _ => long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? sign * value : null,
            };
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex(@"\A(yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)\z")]
    private static partial Regex Boolean();

    [GeneratedRegex(@"\A([-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(:[0-5]?[0-9])+)\z")]
    private static partial Regex Integer();

    [GeneratedRegex(@"\A([-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+][0-9]+)?|\.[0-9][0-9_]*([eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z")]
    private static partial Regex Float();

    [GeneratedRegex(@"\A([0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?([ \t]*(Z|[-+][0-9]{1,2}(:[0-9]{2})?))?)\z")]
    private static partial Regex Timestamp();
}
