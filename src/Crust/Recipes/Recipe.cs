using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>Where a piece of upstream software comes from, and where its files go: data, of which nothing runs. docs/recipes.md describes the file that it is read from.</summary>
internal sealed record Recipe
{
    /// <summary>Lower-case letters, digits and dashes; the file's base name, too.</summary>
    public required string Name { get; init; }

    /// <summary>What the software is, in a few words.</summary>
    public required string Summary { get; init; }

    public required string Homepage { get; init; }

    /// <summary>An SPDX license expression.</summary>
    public required string License { get; init; }

    /// <summary>What a version looks like: matches all of it, or it isn't one.</summary>
    public required Regex VersionForm { get; init; }

    /// <summary>Upstream's name of a version, with the placeholder `{version}`.</summary>
    public required string Tag { get; init; }

    public ImmutableArray<RecipeDownload> Downloads { get; init; } = [];

    public ImmutableArray<RecipeFile> Files { get; init; } = [];

    public ImmutableArray<RecipeLink> Links { get; init; } = [];

    /// <summary>The versions with their SHA-256 sums, the newest first.</summary>
    public ImmutableArray<RecipeVersion> Versions { get; init; } = [];

    /// <summary>Where it was read from.</summary>
    public required string Path { get; init; }
}

/// <summary>A file that upstream serves for each version and architecture.</summary>
/// <param name="Name">What the recipe calls it.</param>
/// <param name="Url">Its URL, with placeholders: <see cref="Placeholders"/>.</param>
/// <param name="Files">What `{file}` stands for, by architecture; empty where the URL has no such placeholder.</param>
/// <param name="Archive">How it is packed; null for the file itself.</param>
/// <param name="Sums">The URL of upstream's own list of checksums, with placeholders; null where upstream publishes none.</param>
internal sealed record RecipeDownload(string Name, string Url, ImmutableDictionary<Arch, string> Files, ArchiveKind? Archive, string? Sums)
{
    /// <summary>The URL of a detached signature of the list, with placeholders; null for none, or for one that is in the list itself.</summary>
    public string? Signature { get; init; }

    /// <summary>The fingerprint of the OpenPGP key that signs the list, 40 hex digits; null where it isn't signed.</summary>
    public string? Key { get; init; }

    /// <summary>The architectures for which it exists.</summary>
    public ImmutableArray<Arch> Archs { get; init; } = [.. Enum.GetValues<Arch>()];
}

/// <summary>How a download is packed.</summary>
public enum ArchiveKind
{
    /// <summary>tar in gzip.</summary>
    TarGz,

    /// <summary>tar in xz.</summary>
    TarXz,

    /// <summary>tar in zstd.</summary>
    TarZst,

    /// <summary>ZIP.</summary>
    Zip,
}

/// <summary>A file or folder of a download, and where it goes.</summary>
/// <param name="Download">The download's name.</param>
/// <param name="Inner">The path in its archive, with placeholders; a folder where it ends with a slash, and a slash alone is all of it. Empty for a download that is the file itself.</param>
/// <param name="Target">The absolute path in the target; a folder where it ends with a slash.</param>
/// <param name="Mode">Its permissions; null for those in the archive.</param>
/// <param name="For">What it is for: an empty list means all uses.</param>
internal sealed record RecipeFile(string Download, string Inner, string Target, UnixFileMode? Mode, ImmutableArray<RecipeUse> For);

/// <summary>A symbolic link in the target.</summary>
/// <param name="Target">The absolute path of the link.</param>
/// <param name="To">What it says.</param>
internal sealed record RecipeLink(string Target, string To);

/// <summary>What a recipe is used for.</summary>
public enum RecipeUse
{
    /// <summary>A layer on a root or a disk, which may write anywhere.</summary>
    Layer,

    /// <summary>A system extension, which has only what lies below /usr and /opt.</summary>
    Sysext,
}

/// <summary>A version with what pins it.</summary>
/// <param name="Version">As upstream writes it, without the tag's prefix.</param>
/// <param name="Sums">SHA-256 sums in lower-case hex by architecture and download.</param>
/// <param name="With">The versions of other recipes that belong to it.</param>
internal sealed record RecipeVersion(string Version, ImmutableDictionary<(Arch Arch, string Download), string> Sums, ImmutableDictionary<string, string> With);
