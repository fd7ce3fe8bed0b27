using System.Collections.Immutable;
using System.Security.Cryptography;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Content;

/// <summary>The files of a bundle, as they are on this host.</summary>
internal sealed record BundleFiles(ImmutableArray<BundleMember> Members, ImmutableArray<PackedFile> Packed)
{
    public const string Folder = "files/";

    /// <summary>Reads and hashes what a plan names. The same content under several names is packed once: the others are hard links.</summary>
    /// <exception cref="CrustException">Something isn't there, can't be read, has another SHA-256 than it should, or is no file or folder.</exception>
    public static BundleFiles Read(ContentPlan plan, CancellationToken cancellation)
    {
        var (members, packed) = (new SortedDictionary<string, BundleMember>(StringComparer.Ordinal), ImmutableArray.CreateBuilder<PackedFile>());
        var first = new Dictionary<(string Sha256, UnixFileMode Mode), string>();
        foreach (var (file, entry) in plan.Files.SelectMany(file => EntriesOf(file).Select(entry => (file, entry))).OrderBy(pair => pair.entry.Path, StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            AddFolders(members, entry.Path, file);
            var (member, sha256) = MemberOf(file, entry, first);
            if (!members.TryAdd(entry.Path, member) && !(entry.Kind is EntryKind.Folder && members[entry.Path].Header.Kind is TarKind.Folder))
            {
                throw new CrustException(FailureKind.BadInput, $"Two files are to be '{entry.Path}' in the bundle", file.Where, "give one of them another to:");
            }

            if (sha256 is not null)
            {
                packed.Add(new PackedFile(entry.Path, entry.Content.Length, sha256));
            }
        }

        return new BundleFiles([.. members.Values], packed.ToImmutable());
    }

    private static void AddFolders(SortedDictionary<string, BundleMember> members, string path, ContentFile file)
    {
        for (var slash = path.IndexOf('/'); slash > 0; slash = path.IndexOf('/', slash + 1))
        {
            if (!members.TryAdd(path[..slash], FolderOf(path[..slash], TreeEntry.Executable)) && members[path[..slash]].Header.Kind is not TarKind.Folder)
            {
                throw new CrustException(FailureKind.BadInput, $"'{path[..slash]}' is to be a file and a folder in the bundle", file.Where,
                    "give one of them another to:");
            }
        }
    }

    private static BundleMember FolderOf(string path, UnixFileMode mode) => new(new TarMember(path + "/", 0) { Mode = mode }, TreeContent.Empty, null, "");

    private static (BundleMember Member, string? Sha256) MemberOf(ContentFile file, TreeEntry entry, Dictionary<(string, UnixFileMode), string> first)
    {
        switch (entry.Kind)
        {
            case EntryKind.Folder:
                return (FolderOf(entry.Path, entry.Mode), null);
            case EntryKind.Symlink:
                return (new BundleMember(new TarMember(entry.Path, 0) { Mode = entry.Mode, Kind = TarKind.Symlink, LinkTarget = entry.LinkTarget }, TreeContent.Empty, null, ""), null);
            case EntryKind.File:
                break;
            default:
                throw new CrustException(FailureKind.BadInput, "A bundle holds no devices and FIFOs", $"{file.Where}: {entry.Path}", "leave it out of the folder");
        }

        var sha256 = HashOf(entry, file);
        if (file.Sha256 is { } wanted && wanted != sha256)
        {
            throw new CrustException(FailureKind.BadInput, $"The file isn't the one that the checksum is of: expected SHA-256 {wanted}, it has {sha256}", $"{file.Where}: {file.Path}",
                "get the right file, or write the checksum of this one");
        }

        // Hard links to nothing save nothing.
        if (entry.Content.Length > 0 && !first.TryAdd((sha256, entry.Mode), entry.Path))
        {
            return (new BundleMember(new TarMember(entry.Path, 0) { Mode = entry.Mode, Kind = TarKind.HardLink, LinkTarget = first[(sha256, entry.Mode)] }, TreeContent.Empty, null, ""), sha256);
        }

        return (new BundleMember(new TarMember(entry.Path, entry.Content.Length) { Mode = entry.Mode }, entry.Content, sha256, file.Path), sha256);
    }

    private static string HashOf(TreeEntry entry, ContentFile file)
    {
        try
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var piece in entry.Content.Pieces())
            {
                hash.AppendData(piece.Span);
            }

            return Convert.ToHexStringLower(hash.GetCurrentHash());
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"A file of the bundle can't be read: {e.Message}", $"{file.Where}: {file.Path}",
                "give this user the right to read it, and check the drive that it is on", e);
        }
    }

    private static IEnumerable<TreeEntry> EntriesOf(ContentFile file)
    {
        var to = Folder + file.To;
        if (!Directory.Exists(file.Path))
        {
            return [EntryOf(file, to)];
        }

        if (file.Sha256 is not null)
        {
            throw new CrustException(FailureKind.BadInput, "A folder has no SHA-256", $"{file.Where}: {file.Path}", "leave sha256: out, or name a file");
        }

        try
        {
            return FileTree.FromFolder(file.Path).Entries.Select(entry => entry with { Path = $"{to}/{entry.Path}" }).Prepend(TreeEntry.Folder(to));
        }
        catch (CrustException e)
        {
            throw e.At($"{file.Where}: {e.Where}");
        }
    }

    private static TreeEntry EntryOf(ContentFile file, string to)
    {
        try
        {
            using var opened = RegularFile.Open(file.Path, "file", "name a file or a folder that exists");
            // A tree follows no link at a path's end, and the user may well have named one.
            var real = File.ResolveLinkTarget(file.Path, returnFinalTarget: true)?.FullName ?? file.Path;
            var runs = (File.GetUnixFileMode(opened) & UnixFileMode.UserExecute) != 0;
            return TreeEntry.File(to, TreeContent.OfFile(real, 0, RandomAccess.GetLength(opened)), runs ? TreeEntry.Executable : TreeEntry.Readable);
        }
        catch (CrustException e)
        {
            throw e.At($"{file.Where}: {e.Where}");
        }
    }
}
