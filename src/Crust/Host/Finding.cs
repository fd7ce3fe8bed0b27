using System.Collections.Immutable;

namespace Crust.Host;

public enum Gravity
{
    Fine,

    /// <summary>Worth knowing; nothing is to be done for this build.</summary>
    Note,

    /// <summary>The build works, but slower or less sure than it could.</summary>
    Warning,

    /// <summary>The build can't work.</summary>
    Problem,
}

/// <summary>One thing that was looked at on this host, and what came of it.</summary>
/// <param name="Area">What it belongs to: `host`, `tools`, `libraries`, `folders`, `space`.</param>
/// <param name="Name">What was looked at, in a word or two: `memory`, `xorriso`.</param>
/// <param name="What">What was found, as a sentence without a full stop.</param>
internal sealed record Finding(string Area, string Name, Gravity Gravity, string What)
{
    /// <summary>Where: a file, a folder, a key of the spec; null where the name says it all.</summary>
    public string? Where { get; init; }

    /// <summary>What mends it, as an imperative; null if nothing is to be done.</summary>
    public string? Remedy { get; init; }

    /// <summary>Debian packages that mend it.</summary>
    public ImmutableArray<string> Packages { get; init; } = [];

    /// <summary>
    /// Whether a problem rests on an estimate, and the build finds out by itself before anything is lost: it goes on with a warning then.
    /// </summary>
    public bool IsEstimate { get; init; }

    /// <summary>The finding that a package isn't installed. Nobody is asked to install what a build doesn't need.</summary>
    internal static Finding Missing(string area, string name, Gravity gravity, string what, string where, string package) => gravity is Gravity.Note
        ? new(area, name, gravity, what) { Where = where }
        : new(area, name, gravity, what) { Where = where, Remedy = $"install it: apt-get install {package}", Packages = [package] };

    /// <summary>The error that a finding is where it alone stops a build.</summary>
    internal CrustException ToError() => new(FailureKind.HostLacks, What, Where ?? Name, Remedy ?? "mend it");

    /// <summary>The finding in one sentence with its remedy.</summary>
    internal string ToWarning() => Remedy is null ? What : $"{What}. To mend it: {Remedy}";
}
