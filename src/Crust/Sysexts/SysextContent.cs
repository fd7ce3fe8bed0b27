using System.Collections.Immutable;
using Crust.Recipes.Building;
using Crust.Trees;

namespace Crust.Sysexts;

/// <summary>What an extension is built from.</summary>
/// <param name="Tree">Its files.</param>
/// <param name="Parts">What they are, for the SBOM and the provenance.</param>
internal sealed record SysextContent(FileTree Tree, ImmutableArray<SysextPart> Parts)
{
    /// <summary>A recipe's content, with the recipes that belong to it.</summary>
    public static SysextContent Of(BuiltRecipe built) => new(built.Tree,
    [
        .. built.Picks.Select(pick => new SysextPart(pick.Recipe.Name)
        {
            Version = pick.Version.Version,
            License = pick.Recipe.License,
            Homepage = pick.Recipe.Homepage,
            Files = [.. built.Sources.Where(source => source.Pick == pick).Select(source => new PartFile(source.Url.Segments[^1], source.Sha256, source.Url.AbsoluteUri))],
        }),
    ]);
}

/// <summary>A piece of software in an extension, or a source of which no more is known than its name.</summary>
internal sealed record SysextPart(string Name)
{
    public string? Version { get; init; }

    /// <summary>An SPDX license expression; null where it isn't known.</summary>
    public string? License { get; init; }

    public string? Homepage { get; init; }

    /// <summary>The package URL (purl specification); null for what is no package.</summary>
    public string? PackageUrl { get; init; }

    /// <summary>The files that it came in.</summary>
    public ImmutableArray<PartFile> Files { get; init; } = [];
}

/// <summary>A file that something came in.</summary>
/// <param name="Sha256">In lower-case hex.</param>
/// <param name="Url">Where it is published; null where that isn't known, or only this host has it.</param>
internal sealed record PartFile(string Name, string Sha256, string? Url);
