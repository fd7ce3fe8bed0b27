namespace Crust.Seeds.Schemas;

/// <summary>What a value is, in the words of JSON Schema, and the dates that YAML has beside them.</summary>
[Flags]
internal enum ValueKinds
{
    /// <summary>Nothing that a schema knows.</summary>
    Nothing = 0,

    /// <summary>`null`, `~`, or nothing at all.</summary>
    Null = 1,

    /// <summary>`true` or `false`.</summary>
    Boolean = 2,

    Integer = 4,

    /// <summary>Any other number.</summary>
    Number = 8,

    String = 16,

    /// <summary>A date, with or without a time.</summary>
    Date = 32,

    Array = 64,

    /// <summary>A mapping.</summary>
    Object = 128,
}

/// <summary>Who reads a document: the same scalar isn't the same value to each.</summary>
internal enum YamlDialect
{
    /// <summary>PyYAML, which cloud-init and Ubuntu's installer use: YAML 1.1.</summary>
    Python,

    /// <summary>Go's yaml.v3 into typed fields, which Kairos and stylus use: a field for text takes any scalar as it is written.</summary>
    Go,
}
