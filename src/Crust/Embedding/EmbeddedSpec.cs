using System.Collections.Immutable;

namespace Crust.Embedding;

/// <param name="Secrets">The secrets that were met: those that were written, or those that were left out.</param>
/// <param name="Iso">The installer ISO that was copied; null for Crust's own, which containers have anyway.</param>
internal sealed record EmbeddedSpec(ImmutableArray<EmbeddedSecret> Secrets, string? Iso);

/// <param name="Place">The secret's key in the spec, or where it stands in a file.</param>
/// <param name="Variable">The environment variable that gives it later; null for none.</param>
internal sealed record EmbeddedSecret(string Place, string? Variable)
{
    /// <summary>The place, and the variable where there is one.</summary>
    public override string ToString() => Variable is null ? Place : $"{Place} ({Variable})";
}
