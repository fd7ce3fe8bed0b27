using System.Collections.Immutable;

namespace Crust.Seeds.Checks;

/// <summary>Decides what findings mean for a build.</summary>
internal static class SeedReview
{
    /// <returns>The warnings.</returns>
    /// <exception cref="CrustException"><see cref="FailureKind.BadInput"/>: there are errors. Its message names all of them.</exception>
    public static ImmutableArray<string> Pass(ImmutableArray<SeedFinding> findings, bool strict)
    {
        ImmutableArray<SeedFinding> errors = [.. findings.Where(finding => strict || finding.Severity is SeedSeverity.Error)];
        return errors switch
        {
            [] => [.. findings.Select(finding => finding.ToWarning())],
            [var one] => throw new CrustException(FailureKind.BadInput, $"{one.What} ({one.Rule})", $"{one.Place}", one.Remedy),
            [var first, ..] => throw new CrustException(FailureKind.BadInput, $"{errors.Length} things in the seed are wrong", $"{first.Place} and below", "mend each, as said below")
            {
                Detail = string.Join('\n', errors.SelectMany(error => new[] { $"{error.What} ({error.Rule})", $"  where: {error.Place}", $"  to do: {error.Remedy}" })),
            },
        };
    }
}
