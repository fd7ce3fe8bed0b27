using System.Collections.Immutable;
using System.Text.Json;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What `crust build --check-only` tells: all that is wrong with a spec's seed, without a machine, a network or a tool.</summary>
internal sealed record CheckReport
{
    private CheckReport()
    {
    }

    /// <summary>All findings, errors before warnings.</summary>
    public required ImmutableArray<SeedFinding> Findings { get; init; }

    public int Files { get; private init; }

    /// <summary>The kind of the seed; null where not even the spec could be read.</summary>
    public SeedKind? Kind { get; private init; }

    /// <summary>The family of systems that the rules were those of; null if nobody knows.</summary>
    public SeedProfile? Profile { get; private init; }

    public int Errors => Findings.Count(finding => finding.Severity is SeedSeverity.Error);

    public int Warnings => Findings.Length - Errors;

    /// <summary>Whether a build would begin.</summary>
    public bool IsFine => Errors == 0;

    /// <param name="installed">The family of systems that its installer installs; null if nobody knows.</param>
    /// <exception cref="CrustException">Something failed that no rule is about, such as reading the disk.</exception>
    public static CheckReport Of(BuildSpec spec, SeedProfile? installed)
    {
        var profile = spec.Seed.Profile ?? installed;
        try
        {
            var files = SeedFiles.Read(spec.Seed);
            return new CheckReport
            {
                Findings = [.. SeedChecks.Check(spec, files, profile).Select(finding => spec.Seed.Strict ? finding with { Severity = SeedSeverity.Error } : finding)],
                Files = files.Files.Length,
                Kind = spec.Seed.Kind,
                Profile = profile,
            };
        }
        catch (CrustException e) when (DocumentRules.FindingOf(e) is { } finding)
        {
            return new CheckReport { Findings = [finding], Kind = spec.Seed.Kind, Profile = profile };
        }
    }

    /// <summary>The same for a spec that can't be read.</summary>
    /// <returns>Null for an error that isn't about what stands in it.</returns>
    public static CheckReport? Of(CrustException error) => DocumentRules.FindingOf(error) is { } finding ? new CheckReport { Findings = [finding] } : null;

    /// <summary>The outcome in one line.</summary>
    public string Summary => Findings.IsEmpty
        ? $"the seed is fine: {Counted(Files, "file")} checked"
        : $"{(IsFine ? "the seed can be built with" : "the seed can't be built with")}: "
            + $"{string.Join(", ", new[] { (Errors, "error"), (Warnings, "warning") }.Where(count => count.Item1 > 0).Select(count => Counted(count.Item1, count.Item2)))}";

    /// <summary>The whole as JSON, with a line break at its end.</summary>
    public string ToJson() => JsonSerializer.Serialize(new CheckDocument
    {
        Crust = CrustVersion.Current,
        Fine = IsFine,
        Kind = Kind?.LowerName(),
        Profile = Profile?.LowerName(),
        Errors = Errors,
        Warnings = Warnings,
        Findings = [.. Findings.Select(finding => new CheckDocumentFinding(finding.Severity.LowerName(), finding.Rule, finding.What, finding.Remedy, finding.Place.Source,
            finding.Place.Line == 0 ? null : finding.Place.Line, finding.Place.Line == 0 ? null : finding.Place.Column))],
    }, CheckJson.Readable) + "\n";

    private static string Counted(int number, string what) => $"{number} {what}{(number == 1 ? "" : "s")}";
}
