using System.Collections.Immutable;
using Crust.Storage;

namespace Crust.Trees;

/// <summary>Trees from folders and archives.</summary>
internal sealed partial class FileTree
{
    private const int MostEntries = 1_000_000;

    // What else a host's files have belongs to that host: ACLs, SELinux' labels, marks of programs.
    private const string Capabilities = "security.capability";
    private const int LongestCapabilities = 64;

    /// <summary>What is in a folder on this host. All of it belongs to root: a user's own number means nothing elsewhere.</summary>
    /// <exception cref="CrustException">There is none, it can't be read, or has something in it that no tree has.</exception>
    public static FileTree FromFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            throw new CrustException(FailureKind.BadInput, "There is no such folder", path, "name a folder");
        }

        try
        {
            var linked = new Dictionary<(ulong, ulong), TreeContent>();
            return Empty.With(In(path, "", linked));
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The folder can't be taken as it is: {e.Message}", path, "remove it from the folder, or put right what is said", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The folder can't be read: {e.Message}", path, "give this user the right to read all of it", e);
        }
    }

    /// <summary>What is in a tar archive that isn't compressed; the tree reads from it as long as it is used. Sparse files aren't read.</summary>
    /// <param name="allowDevices">Whether devices and FIFOs may be in it, as in the root of a system.</param>
    /// <exception cref="CrustException">There is none, it can't be read, or was made to do harm.</exception>
    public static FileTree FromTar(string path, bool allowDevices = false) => ReadTar(path, archive => Empty.With(archive, path, allowDevices));

    // The tree with the members of an archive, in their order.
    private FileTree With(FileStream archive, string path, bool allowDevices)
    {
        var builder = _entries.ToBuilder();
        foreach (var entry in In(archive, path, allowDevices, name => FindIn(builder, name)))
        {
            Add(builder, entry);
        }

        return new FileTree(builder.ToImmutable());
    }

    private static FileTree ReadTar(string path, Func<FileStream, FileTree> read)
    {
        using var file = new FileStream(RegularFile.Open(path, "archive", "name a tar archive"), FileAccess.Read);
        try
        {
            return read(file);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The archive can't be taken: {e.Message}", path, "give a plain tar archive (unpack .gz, .xz or .zst first) of files, folders and links below its root", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The archive can't be read: {e.Message}", path, "check the drive that it is on", e);
        }
    }

    private static IEnumerable<TreeEntry> In(string folder, string below, Dictionary<(ulong, ulong), TreeContent> linked)
    {
        foreach (var item in new DirectoryInfo(folder).EnumerateFileSystemInfos().OrderBy(item => item.Name, StringComparer.Ordinal))
        {
            var path = below + item.Name;
            var facts = FileFacts.TryOf(item.FullName, follow: false) ?? throw new IOException($"{item.FullName} went away");
            switch (facts.Kind)
            {
                case FileKind.Folder:
                    yield return TreeEntry.Folder(path, facts.Mode);
                    foreach (var entry in In(item.FullName, path + "/", linked))
                    {
                        yield return entry;
                    }

                    break;
                case FileKind.File:
                    if (!linked.TryGetValue((facts.Device, facts.Inode), out var content))
                    {
                        linked[(facts.Device, facts.Inode)] = content = TreeContent.OfFile(item.FullName, 0, ((FileInfo)item).Length);
                    }

                    yield return TreeEntry.File(path, content, facts.Mode) with { Xattrs = AttributesOf(item.FullName) };
                    break;
                case FileKind.Link:
                    yield return TreeEntry.Symlink(path, item.LinkTarget!);
                    break;
                default:
                    throw new InvalidDataException($"{Shown(path)} is {facts.Describe()}");
            }
        }
    }

    private static ImmutableSortedDictionary<string, ImmutableArray<byte>> AttributesOf(string path)
    {
        var none = ImmutableSortedDictionary<string, ImmutableArray<byte>>.Empty;
        var value = new byte[LongestCapabilities];
        return Posix.GetAttribute(path, Capabilities, value, LongestCapabilities) is > 0 and var length ? none.Add(Capabilities, [.. value[..(int)length]]) : none;
    }

    private static TarArchive Open(FileStream archive)
    {
        archive.Position = 0;
        return new TarArchive(archive, archive.Length) { MostMembers = MostEntries };
    }

    // A hard link is another name of what is there already.
    private static IEnumerable<TreeEntry> In(FileStream file, string path, bool allowDevices, Func<string, TreeEntry?> find)
    {
        var archive = Open(file);
        while (archive.Next() is { } member)
        {
            var name = member.Name.TrimEnd('/');
            if (name is "" or ".")
            {
                continue;
            }

            var entry = new TreeEntry(name, EntryKind.File, member.Mode) { Uid = member.Owner, Gid = member.Group, Xattrs = member.Attributes };
            yield return member.Kind switch
            {
                TarKind.File => entry with { Content = TreeContent.OfFile(path, member.Offset, member.Length) },
                TarKind.HardLink => find(Plain(member.LinkTarget)) is { Kind: not EntryKind.Folder } first ? first with { Path = name }
                    : throw new InvalidDataException($"{Shown(name)} is a hard link to {Shown(member.LinkTarget)}, which is no file before it in the archive"),
                TarKind.Folder => entry with { Kind = EntryKind.Folder },
                TarKind.Symlink => entry with { Kind = EntryKind.Symlink, LinkTarget = member.LinkTarget },
                TarKind.Other => throw new InvalidDataException($"{Shown(name)} is a sparse file, or of a kind that Crust doesn't know"),
                _ when !allowDevices => throw new InvalidDataException($"{Shown(name)} is a device or a FIFO"),
                TarKind.Fifo => entry with { Kind = EntryKind.Fifo },
                TarKind.CharacterDevice => entry with { Kind = EntryKind.CharacterDevice, Device = member.Device },
                _ => entry with { Kind = EntryKind.BlockDevice, Device = member.Device },
            };
        }
    }

    // The entry of a path whose folders may be links.
    private static TreeEntry? FindIn(ImmutableSortedDictionary<string, TreeEntry>.Builder entries, string path) => RealPath(entries, path) is { } real ? entries.GetValueOrDefault(real) : null;

    // A path without links but at its end; null if links go round in circles. What isn't there has one, too.
    private static string? RealPath(ImmutableSortedDictionary<string, TreeEntry>.Builder entries, string path)
    {
        var end = path.LastIndexOf('/');
        return end < 0 ? path : Resolve(entries.GetValueOrDefault, path[..end].Split('/')) switch
        {
            null => null,
            "" => path[(end + 1)..],
            var folder => $"{folder}/{path[(end + 1)..]}",
        };
    }

    private static string Plain(string name) => name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
}
