using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>One scalar that the user gave, and where: `crust.yaml:7:9, machine.disk`.</summary>
internal sealed record GivenItem(string Text, string Where);

/// <summary>All that the user gave for one key in one place, not yet understood.</summary>
internal sealed record GivenValue
{
    /// <summary>The scalars: one, or those of a list.</summary>
    public required ImmutableArray<GivenItem> Items { get; init; }

    /// <summary>Where it stands, for messages.</summary>
    public required string Where { get; init; }

    /// <summary>The folder that relative paths in it start from.</summary>
    public required string BaseFolder { get; init; }

    public bool IsList { get; init; }

    /// <summary>The entries of a list of mappings, of a key that takes these.</summary>
    public ImmutableArray<YamlMapping> Mappings { get; init; } = [];

    /// <summary>The scalar of a key that takes only one; for an option given twice, the last.</summary>
    public GivenItem Single => Items[^1];

    /// <summary>An empty value counts as none, so that unset variables of a Makefile or a CI template do no harm.</summary>
    public bool IsEmpty => !IsList && Items.All(item => item.Text.Length == 0);
}
