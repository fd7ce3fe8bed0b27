using System.Text.RegularExpressions;

namespace Crust.Spec;

/// <summary>The names of enum values as specs, manifests and people write them.</summary>
internal static partial class EnumName
{
    /// <summary>The value in lower case, its words joined by dashes: `uefi`, `uefi-secure`, `tcg`.</summary>
    public static string LowerName<TEnum>(this TEnum value)
        where TEnum : struct, Enum => WordBreak().Replace(value.ToString(), "-").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])")]
    private static partial Regex WordBreak();
}
