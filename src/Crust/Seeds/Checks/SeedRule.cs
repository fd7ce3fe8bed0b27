using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

/// <summary>Something that the checks object to: what docs/checks.md says of it, and the maker of its findings.</summary>
/// <param name="Name">In lower case with dashes; `seed.ignore` takes it.</param>
/// <param name="About">What it objects to, for the page; a sentence without a full stop.</param>
/// <param name="Example">A line that it objects to.</param>
/// <param name="WayOut">What to do, for the page.</param>
internal sealed record SeedRule(string Name, SeedSeverity Severity, string About, string Example, string WayOut)
{
    /// <summary>Where it matters less than its severity says; null for nowhere.</summary>
    public string? WarnsOnly { get; init; }

    public SeedFinding At(Place place, string what, string? remedy = null) => new(Severity, Name, what, place, remedy ?? WayOut);

    public SeedFinding At(ConfigNode node, string what, string? remedy = null) => At(node.Place, what, remedy);

    /// <summary>A finding that matters less than the rule's severity says.</summary>
    public SeedFinding Warn(Place place, string what, string? remedy = null) => At(place, what, remedy) with { Severity = SeedSeverity.Warning };
}
