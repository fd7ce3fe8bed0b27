using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Content;

/// <summary>A bundle that is wanted.</summary>
/// <param name="Folder">The absolute path of the folder that it goes to.</param>
/// <param name="Sign">The key that signs its provenance, if one does.</param>
internal sealed record ContentRequest(ContentPlan Plan, string Folder, SignSpec Sign)
{
    /// <summary>An ISO of which a copy gets the parts; null for none.</summary>
    public string? Iso { get; init; }

    /// <summary>Whether an image of a partition with the parts is written, too.</summary>
    public bool HasPartition { get; init; }

    /// <summary>A raw disk of which a copy gets that partition; null for none.</summary>
    public string? Disk { get; init; }

    /// <summary>The bytes of the target that it is for; null where nobody said.</summary>
    public long? Target { get; init; }

    /// <summary>The length of the system's image that goes to the same target.</summary>
    public long SystemSize { get; init; }

    /// <summary>How many copies of the parts are written.</summary>
    public int Copies => 1 + (Iso is null ? 0 : 1) + (HasPartition || Disk is not null ? 1 : 0) + (Disk is null ? 0 : 1);
}

/// <summary>A bundle that was written, or was there already.</summary>
/// <param name="Manifest">The manifest.</param>
/// <param name="IsNew">Whether it was written now.</param>
/// <param name="Files">All files of it in the folder, by name, with their lengths and SHA-256 in hex.</param>
internal sealed record ContentResult(ContentManifest Manifest, bool IsNew, ImmutableArray<ContentPart> Files);
