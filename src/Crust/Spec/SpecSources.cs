using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>All places where a user can say what to build.</summary>
internal sealed record SpecSources
{
    /// <summary>The spec file as the user named it; null for none.</summary>
    public string? File { get; init; }

    /// <summary>Whether the user named the file; else it is the one that is usual.</summary>
    public bool IsFileGiven { get; init; }

    /// <summary>The environment's variables; an empty one counts as unset.</summary>
    public ImmutableDictionary<string, string> Environment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>
    /// The options given: a key's path (<see cref="SpecKey.Path"/>) and its values in their order. Of several values for a key
    /// that takes one, the last counts.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Options { get; init; } = ImmutableDictionary<string, IReadOnlyList<string>>.Empty;

    /// <summary>Keys that something else than a spec says, such as a CanvOS folder: they count as a spec's file does.</summary>
    public IReadOnlyDictionary<string, GivenValue> Given { get; init; } = ImmutableDictionary<string, GivenValue>.Empty;

    /// <summary>Whether it is to say how an installer is made, and not how a disk is.</summary>
    public bool ForInstaller { get; init; }

    /// <summary>The absolute folder that relative paths from the command line and the environment start from.</summary>
    public required string CurrentFolder { get; init; }
}
