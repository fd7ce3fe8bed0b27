using Crust.Storage;

namespace Crust.Trees;

/// <summary>Trees as archives and folders.</summary>
internal sealed partial class FileTree
{
    /// <summary>Writes a tar archive (pax), the same bytes for the same tree.</summary>
    /// <param name="time">The time of all files, in seconds since 1970.</param>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    public async Task WriteTarAsync(Stream archive, long time, CancellationToken cancellation)
    {
        await archive.WriteAsync(new TarMember("./", 0) { Mode = TreeEntry.Executable, Time = time }.Header(), cancellation);
        var written = new Dictionary<TreeContent, TreeEntry>();
        foreach (var entry in Entries)
        {
            var original = OriginalOf(entry, written);
            var member = new TarMember(entry.Kind is EntryKind.Folder ? entry.Path + "/" : entry.Path, original is null ? entry.Content.Length : 0)
            {
                Kind = original is null ? KindOf(entry.Kind) : TarKind.HardLink,
                LinkTarget = original?.Path ?? entry.LinkTarget,
                Mode = entry.Mode,
                Owner = entry.Uid,
                Group = entry.Gid,
                Time = time,
                Device = entry.Device,
                Attributes = entry.Xattrs,
            };
            foreach (var piece in member.With(original is null ? entry.Content.Pieces() : []))
            {
                await archive.WriteAsync(piece, cancellation);
            }
        }

        await archive.WriteAsync(TarMember.EndOfArchive, cancellation);
    }

    /// <summary>Writes all of it into a folder that is there and empty. Owners and extended attributes, which take root, are left out.</summary>
    /// <param name="time">The time of all files, in seconds since 1970.</param>
    /// <exception cref="IOException">Something can't be read or written, or there are devices in it, which takes root.</exception>
    public async Task WriteFolderAsync(string folder, long time, CancellationToken cancellation)
    {
        var when = DateTime.UnixEpoch.AddSeconds(time);
        var written = new Dictionary<TreeContent, TreeEntry>();
        foreach (var entry in Entries)
        {
            var path = Path.Combine(folder, entry.Path);
            switch (entry.Kind)
            {
                case EntryKind.Folder:
                    Directory.CreateDirectory(path);
                    break;
                case EntryKind.Symlink:
                    File.CreateSymbolicLink(path, entry.LinkTarget);
                    break;
                case EntryKind.File when OriginalOf(entry, written) is { } original:
                    if (Posix.Link(Path.Combine(folder, original.Path), path) != 0)
                    {
                        throw Posix.Error(path);
                    }

                    break;
                case EntryKind.File:
                    await using (var file = WholeFile.CreatePrivate(path))
                    {
                        foreach (var piece in entry.Content.Pieces())
                        {
                            await file.WriteAsync(piece, cancellation);
                        }
                    }

                    File.SetUnixFileMode(path, entry.Mode);
                    File.SetLastWriteTimeUtc(path, when);
                    break;
                default:
                    throw new IOException($"{path}: a device or a FIFO can't be made without root");
            }
        }

        // From below: a folder's time changes with what is made in it, and its mode may forbid that.
        foreach (var entry in Entries.Reverse().Where(entry => entry.Kind is EntryKind.Folder))
        {
            var path = Path.Combine(folder, entry.Path);
            Directory.SetLastWriteTimeUtc(path, when);
            File.SetUnixFileMode(path, entry.Mode);
        }

        Directory.SetLastWriteTimeUtc(folder, when);
    }

    // The entry before it that is the same file; null where it is the first or only one.
    private static TreeEntry? OriginalOf(TreeEntry entry, Dictionary<TreeContent, TreeEntry> written)
    {
        if (entry.Kind is not EntryKind.File || entry.Content.Length == 0 || written.TryAdd(entry.Content, entry))
        {
            return null;
        }

        var original = written[entry.Content];
        return original with { Path = entry.Path } == entry ? original : null;
    }

    private static TarKind KindOf(EntryKind kind) => kind switch
    {
        EntryKind.File => TarKind.File,
        EntryKind.Folder => TarKind.Folder,
        EntryKind.Symlink => TarKind.Symlink,
        EntryKind.CharacterDevice => TarKind.CharacterDevice,
        EntryKind.BlockDevice => TarKind.BlockDevice,
        _ => TarKind.Fifo,
    };
}
