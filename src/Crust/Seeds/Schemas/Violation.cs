using Crust.Seeds.Documents;

namespace Crust.Seeds.Schemas;

internal enum Fault
{
    /// <summary>Something is known under another name by now.</summary>
    Deprecated,

    /// <summary>A key that nothing reads any more.</summary>
    Obsolete,

    /// <summary>Text without quotes that its reader writes back as something else.</summary>
    Rewritten,

    UnknownKey,

    WrongType,

    /// <summary>A value of the right kind that isn't allowed.</summary>
    WrongValue,

    MissingKey,
}

/// <summary>One way in which a document breaks a schema. No value of the document stands in it: it may be a secret.</summary>
/// <param name="Fault">How.</param>
/// <param name="Path">Which key, as people write it: `users[0].name`.</param>
/// <param name="What">A sentence without a full stop.</param>
internal sealed record Violation(Fault Fault, string Path, Place Place, string What, string Remedy)
{
    /// <summary>Whether a reader goes on all the same.</summary>
    public bool IsWarning { get; init; }

    /// <summary>What the value is, where it is of a wrong type.</summary>
    public ValueKinds Given { get; init; }

    /// <summary>Whether it is a list without entries, or with one twice.</summary>
    public bool IsEmptyOrTwice { get; init; }

    /// <summary>How far the document is from what this branch of a schema wants; the branch with the least sum was meant.</summary>
    public int Distance { get; init; } = 1;
}
