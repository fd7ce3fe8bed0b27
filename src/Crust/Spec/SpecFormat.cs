namespace Crust.Spec;

/// <summary>What the spec has to know of a format; the rest is the format's own.</summary>
/// <param name="Name">What users call it.</param>
/// <param name="ReferenceVariable">The environment variable with the reference that its images alone are published under; null for none.</param>
internal sealed record SpecFormat(string Name, string? ReferenceVariable = null)
{
    /// <summary>Whether `all` means it, too.</summary>
    public bool IsInAll { get; init; } = true;
}
