using System.Collections.Immutable;

namespace Crust.Trees;

/// <summary>What a member of a tar archive is.</summary>
internal enum TarKind
{
    File,

    Folder,

    Symlink,

    HardLink,

    CharacterDevice,

    BlockDevice,

    Fifo,

    /// <summary>A sparse file, or what nobody knows.</summary>
    Other,
}

/// <param name="Name">Its name, without a leading `./`.</param>
/// <param name="Offset">Where its content starts, in bytes from the archive's start.</param>
/// <param name="Length">Its content's length in bytes; it lies within the archive.</param>
internal sealed record ArchiveEntry(string Name, TarKind Kind, long Offset, long Length)
{
    public UnixFileMode Mode { get; init; }

    public int Owner { get; init; }

    public int Group { get; init; }

    /// <summary>What a symbolic link says; the member that a hard link is another name of.</summary>
    public string LinkTarget { get; init; } = "";

    /// <summary>Of a device.</summary>
    public (int Major, int Minor) Device { get; init; }

    /// <summary>Its extended attributes, as `SCHILY.xattr.` records have them.</summary>
    public ImmutableSortedDictionary<string, ImmutableArray<byte>> Attributes { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty;
}
