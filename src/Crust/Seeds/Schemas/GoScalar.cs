using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Schemas;

/// <summary>
/// What Go's yaml.v3 takes a scalar for (its resolve.go and decode.go, v3.0.1). Kairos' collector reads a document without types, writes it as YAML again, and only
/// then it is read into typed fields: a field for text takes any scalar, but in the form in which the collector wrote it (kairos-sdk, collector.go, `Config.String`).
/// </summary>
internal static partial class GoScalar
{
    private const ValueKinds Anything = (ValueKinds)0xff;

    /// <summary>The kinds of field that take it.</summary>
    public static ValueKinds KindsOf(ConfigScalar scalar)
    {
        if (scalar.HasTag)
            return PlainScalar.KindOf(scalar) | ValueKinds.String;
        // Nothing at all fits every field, and leaves it as it was.
        if (scalar.IsNull)
            return Anything;

        var kinds = ValueKinds.String;
        // These are text, quoted or not, and fit a boolean all the same; `Yes` doesn't.
        if (scalar.Value is "y" or "Y" or "yes" or "on" or "n" or "N" or "no" or "off" || (!scalar.IsQuoted && Boolean().IsMatch(scalar.Value)))
            kinds |= ValueKinds.Boolean;
        if (scalar.IsQuoted)
            return kinds;
        if (IntegerOf(scalar.Value) is not null)
            kinds |= ValueKinds.Integer;
        // A field for whole numbers takes what is left of the point.
        else if (Float().IsMatch(scalar.Value))
            kinds |= ValueKinds.Integer | ValueKinds.Number;
        return kinds;
    }

    /// <summary>What a scalar is that comes back in another form, as `0644` does as 420; null for one that stays as it is.</summary>
    public static string? Rewritten(ConfigScalar scalar)
    {
        if (scalar.IsQuoted || scalar.HasTag || scalar.IsNull)
            return null;

        var text = scalar.Value;
        if (Boolean().IsMatch(text))
            return text is "true" or "false" ? null : "true or false in capitals";
        if (Date().IsMatch(text))
            return "read as a date";
        if (IntegerOf(text) is { } number)
            return number.ToString(CultureInfo.InvariantCulture) == text ? null : "a number in another notation than the decimal one";
        return Float().IsMatch(text) && Written(text) != text ? "a number with a fraction or an exponent" : null;
    }

    // strconv.ParseInt with base 0, after all underscores are gone.
    private static BigInteger? IntegerOf(string value)
    {
        var text = value.Replace("_", "", StringComparison.Ordinal);
        var match = Integer().Match(text);
        if (!match.Success || value.StartsWith('_'))
            return null;

        var digits = match.Groups["digits"].Value;
        var radix = match.Groups["prefix"].Value.ToLowerInvariant() switch { "0x" => 16, "0b" => 2, "0" or "0o" => 8, _ => 10 };
        var number = digits.Aggregate(BigInteger.Zero, (sum, digit) => (sum * radix) + int.Parse([digit], NumberStyles.HexNumber, CultureInfo.InvariantCulture));
        // What is larger is a float.
        return number > ulong.MaxValue ? null : match.Groups["sign"].Value == "-" ? -number : number;
    }

    // As yaml.v3 writes a float: the shortest form that reads back the same, with an exponent where it is large or small.
    private static string Written(string text) =>
        double.TryParse(text.Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && Math.Abs(value) is 0 or (>= 1e-4 and < 1e6)
        ? value.ToString("R", CultureInfo.InvariantCulture)
        : "";

    [GeneratedRegex(@"\A(true|True|TRUE|false|False|FALSE)\z")]
    private static partial Regex Boolean();

    [GeneratedRegex(@"\A(?<sign>[-+]?)((?<prefix>0[xX])(?<digits>[0-9a-fA-F]+)|(?<prefix>0[bB])(?<digits>[01]+)|(?<prefix>0[oO])(?<digits>[0-7]+)|(?<prefix>0)(?<digits>[0-7]+)|(?<digits>0|[1-9][0-9]*))\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Integer();

    [GeneratedRegex(@"\A([-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Float();

    [GeneratedRegex(@"\A[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Date();
}
