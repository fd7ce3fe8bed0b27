using System.Collections.Immutable;
using Crust.Seeds.Checks;
using Crust.Spec;

namespace Crust.Media;

/// <summary>An installer that could be made: its base, what goes onto its medium, and what was found about both. It may hold secrets.</summary>
internal sealed record LivePlan
{
    // Rules about the machine of a build, which an installer in the field doesn't run in.
    private static readonly ImmutableArray<string> OfBuilds = ["reboot", "no-poweroff", "no-auto", "device", "disk-size"];

    private const string NoAdmin = "no-admin";

    public required BuildSpec Spec { get; init; }

    public required LiveFacts Facts { get; init; }

    /// <summary>The packed base; null where it was only looked at.</summary>
    public required LiveRoot? Root { get; init; }

    public required MediumPlan Medium { get; init; }

    /// <summary>The preflight report.</summary>
    public required ImmutableArray<LiveFinding> Findings { get; init; }

    /// <summary>The family that a base is of.</summary>
    public static SeedProfile ProfileOf(BuildSpec spec, LiveFacts facts) => spec.Seed.Profile ?? (facts.IsStylus ? SeedProfile.Stylus : SeedProfile.Kairos);

    /// <summary>The spec as the rules of seeds are to see it.</summary>
    public static BuildSpec ForRules(BuildSpec spec, LiveFacts facts) =>
        spec with { Seed = spec.Seed with { Ignore = [.. spec.Seed.Ignore, .. OfBuilds, .. facts.NoUsers ? [NoAdmin] : Array.Empty<string>()] } };

    /// <summary>What a rule of seeds objects to, in the report.</summary>
    public static LiveFinding Of(SeedFinding finding, bool strict) =>
        new(strict || finding.Severity is SeedSeverity.Error ? LiveGravity.Problem : LiveGravity.Warning, "user-data",
            $"{finding.What} ({finding.Rule})")
        { Where = $"{finding.Place}", Remedy = finding.Remedy };
}

/// <summary>A live installer that was made.</summary>
/// <param name="Path">The ISO.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
/// <param name="Size">Its size in bytes.</param>
internal sealed record LiveResult(string Path, string Sha256, long Size);
