using System.Collections.Immutable;

namespace Crust.Trees;

internal enum EntryKind
{
    File,

    Folder,

    Symlink,

    CharacterDevice,

    BlockDevice,

    Fifo,
}

/// <summary>A file, a folder or a link in a <see cref="FileTree"/>.</summary>
/// <param name="Path">Its path from the root, without a slash at the beginning or the end.</param>
internal sealed record TreeEntry(string Path, EntryKind Kind, UnixFileMode Mode)
{
    /// <summary>0644.</summary>
    public const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>0755.</summary>
    public const UnixFileMode Executable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    public int Uid { get; init; }

    public int Gid { get; init; }

    /// <summary>What a symbolic link says.</summary>
    public string LinkTarget { get; init; } = "";

    /// <summary>A file's bytes.</summary>
    public TreeContent Content { get; init; } = TreeContent.Empty;

    public ImmutableSortedDictionary<string, ImmutableArray<byte>> Xattrs { get; init; } = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty;

    /// <summary>Of a device.</summary>
    public (int Major, int Minor) Device { get; init; }

    /// <summary>The last part of its path.</summary>
    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    public static TreeEntry File(string path, TreeContent content, UnixFileMode mode = Readable) => new(path, EntryKind.File, mode) { Content = content };

    public static TreeEntry Folder(string path, UnixFileMode mode = Executable) => new(path, EntryKind.Folder, mode);

    public static TreeEntry Symlink(string path, string target) => new(path, EntryKind.Symlink, Executable | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite) { LinkTarget = target };
}
