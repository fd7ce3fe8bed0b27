using System.Collections.Immutable;

namespace Crust.Spec;

/// <summary>What lies on the medium of a live installer beside the system itself. Changing any of it but <see cref="LocalUi"/> leaves the packed system as it
/// is.</summary>
internal sealed record MediumSpec
{
    public const string DefaultTitle = "Edge installer";

    /// <summary>What the boot menu calls it.</summary>
    public string Title { get; init; } = DefaultTitle;

    /// <summary>The file that the installed system gets as its edge configuration; null for none.</summary>
    public string? EdgeConfig { get; init; }

    /// <summary>Files with container images and other content for sites without a network.</summary>
    public ImmutableArray<string> Content { get; init; } = [];

    /// <summary>An exported cluster definition (`.tgz`); null for none.</summary>
    public string? ClusterConfig { get; init; }

    /// <summary>A tar archive with a local user interface, which becomes part of the system; null for none.</summary>
    public string? LocalUi { get; init; }

    /// <summary>A folder whose entries go onto the medium's root; null for none.</summary>
    public string? Overlay { get; init; }

    /// <summary>Whether the menu starts the interactive installer by itself.</summary>
    public bool Interactive { get; init; }

    /// <summary>Whether the live system tells in detail what it does while it boots.</summary>
    public bool Debug { get; init; }

    /// <summary>Further arguments of the live system's kernel.</summary>
    public ImmutableArray<string> Arguments { get; init; } = [];
}
