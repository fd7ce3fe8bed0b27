using System.Globalization;
using Crust.Disks;
using Crust.Storage;
using Crust.Sysexts.Checks;
using Crust.Sysexts.Images;
using Crust.Tools;
using Crust.Trees;
using Microsoft.Win32.SafeHandles;

namespace Crust.Sysexts;

/// <summary>Reads extensions that somebody else may have made: folders, squashfs, EROFS, ext4, and disk images with one of them in a partition.</summary>
/// <param name="tools">Needs unsquashfs, fsck.erofs or debugfs.</param>
internal sealed class SysextReader(ToolBox tools)
{
    private const string Remedy = "give a folder or an image of a system extension: squashfs, EROFS, ext4, or a disk image with one of them";

    // Of what is unpacked to be looked at.
    private const long MostBytes = 64L << 30;

    private static readonly ToolLimits Limits = new(Time: TimeSpan.FromMinutes(10));

    /// <summary>Reads one. The tree reads from the scratch folder as long as it is used.</summary>
    /// <exception cref="CrustException">It is no extension, is damaged, or holds what no extension may.</exception>
    public async Task<Extension> ReadAsync(string path, string scratch, CancellationToken cancellation)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
        if (Directory.Exists(path))
        {
            var tree = FileTree.FromFolder(path);
            return new Extension(name, tree) { Length = tree.Entries.Sum(entry => entry.Content.Length) };
        }

        using var file = RegularFile.Open(path, "extension", Remedy);
        var (kind, part) = Find(file) ?? throw new CrustException(FailureKind.BadInput, "It is no image of a system extension", path, Remedy);
        var folder = Path.Combine(scratch, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        try
        {
            return new Extension(name, kind switch
            {
                SysextFormat.Squashfs => await FromSquashfsAsync(path, part.Offset, folder, cancellation),
                SysextFormat.Erofs => await UnpackedAsync(image => ToolCommand.Of("fsck.erofs", $"--extract={Path.Combine(folder, "tree")}", image)),
                _ => await UnpackedAsync(image => ToolCommand.Of("debugfs", "-R", $"rdump / {Path.Combine(folder, "tree")}", image)),
            })
            {
                Length = RandomAccess.GetLength(file),
            };
        }
        catch (ToolFailedException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be read: {e.What}", path, "check that the file is whole, or build it again", e);
        }

        async Task<FileTree> UnpackedAsync(Func<string, ToolCommand> unpack)
        {
            Directory.CreateDirectory(Path.Combine(folder, "tree"));
            await tools.RunAsync(unpack(await CopyOutAsync(file, path, part, folder, cancellation)) with { Limits = Limits }, cancellation);
            return FileTree.FromFolder(Path.Combine(folder, "tree")).Without("lost+found");
        }
    }

    /// <summary>Whether a file is a squashfs.</summary>
    /// <exception cref="CrustException">There is no such file, or it can't be read.</exception>
    public static bool IsSquashfs(string path)
    {
        using var file = RegularFile.Open(path, "package", "name a package: a regular file, or a folder");
        return KindAt(file, 0) is SysextFormat.Squashfs;
    }

    private static (SysextFormat Kind, Partition Part)? Find(SafeFileHandle file)
    {
        var whole = new Partition(0, RandomAccess.GetLength(file));
        return PartitionTable.Read(file).Partitions.Prepend(whole).Select(part => (Kind: KindAt(file, part.Offset), Part: part)).Where(found => found.Kind is not null)
            .Select(found => ((SysextFormat Kind, Partition Part)?)(found.Kind!.Value, found.Part)).FirstOrDefault();
    }

    private static SysextFormat? KindAt(SafeFileHandle file, long offset)
    {
        var start = file.ReadUpTo(offset, 2048);
        return start.Length < 2048 ? null
            : start.AsSpan().StartsWith("hsqs"u8) ? SysextFormat.Squashfs
            : start.AsSpan(1024, 4).SequenceEqual((ReadOnlySpan<byte>)[0xe2, 0xe1, 0xf5, 0xe0]) ? SysextFormat.Erofs
            : start.AsSpan(1080, 2).SequenceEqual((ReadOnlySpan<byte>)[0x53, 0xef]) ? SysextFormat.Ext4 : null;
    }

    // A pseudo file tells all of a squashfs, and has the files' bytes: nothing of it gets a name on this host.
    private async Task<FileTree> FromSquashfsAsync(string path, long offset, string folder, CancellationToken cancellation)
    {
        var (image, start) = (Path.GetFullPath(path), offset.ToString(CultureInfo.InvariantCulture));
        long bytes = 0;
        await tools.RunAsync(ToolCommand.Of("unsquashfs", "-o", start, "-lln", image) with { Limits = Limits, WatchOutput = true, OnLine = line => bytes += SizeIn(line) }, cancellation);
        if (bytes > MostBytes)
        {
            throw new CrustException(FailureKind.BadInput, $"It unpacks to {bytes >> 30} GiB", path, $"give an extension of less than {MostBytes >> 30} GiB");
        }

        var pseudo = Path.Combine(folder, "pseudo");
        await tools.RunAsync(ToolCommand.Of("unsquashfs", "-o", start, "-no-progress", "-pf", pseudo, image) with { Limits = Limits }, cancellation);
        try
        {
            return PseudoFile.Read(pseudo);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image can't be taken: {e.Message}", path, "build it again", e);
        }
    }

    // "-rw-r--r-- 0/0    123 1970-01-01 00:00 squashfs-root/…"
    private static long SizeIn(string line) =>
        line.StartsWith('-') && line.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries) is [_, _, var size, _] && long.TryParse(size, CultureInfo.InvariantCulture, out var bytes) ? bytes : 0;

    private static async Task<string> CopyOutAsync(SafeFileHandle file, string path, Partition part, string folder, CancellationToken cancellation)
    {
        if (part.Offset == 0)
        {
            return Path.GetFullPath(path);
        }

        var copy = Path.Combine(folder, "part");
        await using var to = WholeFile.CreatePrivate(copy);
        var buffer = new byte[1 << 20];
        for (long done = 0; done < part.Length;)
        {
            var read = file.ReadUpTo(buffer.AsSpan(0, (int)Math.Min(buffer.Length, part.Length - done)), part.Offset + done);
            done += read > 0 ? read : throw new CrustException(FailureKind.BadInput, "Its partition ends behind it", path, "copy or download it again");
            await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }

        return copy;
    }
}
