using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

public enum SeedSeverity
{
    /// <summary>Worth a look; the build goes on, unless it is strict.</summary>
    Warning,

    /// <summary>The install would fail, or leave something that nobody wants.</summary>
    Error,
}

/// <summary>Something in a seed that a rule objects to. Never a secret.</summary>
/// <param name="Rule">The rule's name, in lower case with dashes: `unknown-key`. `seed.ignore` takes it.</param>
/// <param name="What">What is wrong, as a sentence without a full stop.</param>
/// <param name="Place">Where.</param>
/// <param name="Remedy">A way out, as an imperative.</param>
internal sealed record SeedFinding(SeedSeverity Severity, string Rule, string What, Place Place, string Remedy)
{
    /// <summary>The finding in one line: `user-data.yaml:7:3: what (rule). To mend it: …`.</summary>
    public string ToWarning() => $"{Place}: {What} ({Rule}). To mend it: {Remedy}";
}
