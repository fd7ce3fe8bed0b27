namespace Crust.Spec;

/// <summary>The names of enum values as specs, manifests and people write them.</summary>
internal static class EnumName
{
    /// <summary>The value in lower case: `uefi`, `tcg`, `fail`.</summary>
    public static string LowerName<TEnum>(this TEnum value)
        where TEnum : struct, Enum => value.ToString().ToLowerInvariant();
}
