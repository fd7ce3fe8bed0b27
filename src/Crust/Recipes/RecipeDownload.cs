using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Recipes;

/// <summary>A file that upstream serves for each version and architecture.</summary>
/// <param name="Name">What the recipe calls it.</param>
/// <param name="Url">Its URL, with placeholders: <see cref="Placeholders"/>. Empty for a package of Debian's, whose URL the lock file has.</param>
/// <param name="Files">What `{file}` stands for, by architecture; empty where the URL has no such placeholder.</param>
/// <param name="Archive">How it is packed; null for the file itself.</param>
/// <param name="Sums">The URL of upstream's own list of checksums, with placeholders; null where upstream publishes none.</param>
internal sealed record RecipeDownload(string Name, string Url, ImmutableDictionary<Arch, string> Files, ArchiveKind? Archive, string? Sums)
{
    /// <summary>The name of the Debian package that it is, whose sum comes from apt; null for what upstream serves itself.</summary>
    public string? Package { get; init; }

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

    /// <summary>A Debian package.</summary>
    Deb,
}
