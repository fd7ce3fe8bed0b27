using System.IO.Compression;
using Crust.Sanitizing;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Recipes.Building;

/// <summary>Upstream's archives as trees. They are unpacked once, into plain tar archives in the cache, and nothing of them is ever written under a name that they say.</summary>
/// <param name="tools">Needs xz and zstd for archives of those kinds.</param>
internal sealed class RecipeArchives(ToolBox tools, BuildCache cache)
{
    private const string Kind = "recipes";
    private const string FileName = "archive.tar";
    private const int LongestLink = 4096;
    private const int BufferSize = 1 << 18;

    // The kinds of files in a mode (inode(7)).
    private const int KindMask = 0xF000;
    private const int LinkKind = 0xA000;

    /// <summary>More bytes are refused: a small archive may say that it has any number.</summary>
    public long MostBytes { get; init; } = 16L << 30;

    /// <summary>What is in an archive.</summary>
    /// <param name="sha256">Its SHA-256, by which what was unpacked is known.</param>
    /// <param name="label">What it is called in messages.</param>
    /// <exception cref="CrustException">It can't be read, or was made to do harm.</exception>
    public async Task<FileTree> OpenAsync(string path, string sha256, ArchiveKind kind, string label, CancellationToken cancellation)
    {
        using var entry = await cache.OpenAsync(Kind, sha256, null, cancellation);
        var folder = entry.Found;
        if (folder is null)
        {
            try
            {
                await UnpackAsync(path, kind, Path.Combine(entry.Draft, FileName), cancellation);
                folder = entry.Keep();
            }
            catch (InvalidDataException e)
            {
                throw Bad(label, e.Message, e);
            }
            catch (ToolFailedException e)
            {
                throw Bad(label, e.What, e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new CrustException(FailureKind.InputOutput, $"The archive can't be unpacked: {e.Message}", label, "make room in the cache, or set CRUST_CACHE to a folder with more", e);
            }
        }

        try
        {
            return FileTree.FromTar(Path.Combine(folder, FileName));
        }
        catch (CrustException e) when (e.InnerException is InvalidDataException inner)
        {
            throw Bad(label, inner.Message, e);
        }
    }

    private static CrustException Bad(string label, string why, Exception inner) => new(FailureKind.BadInput, $"The archive can't be taken: {why}", label,
        "use another version, or tell upstream; an archive holds files, folders and links below its root", inner);

    private async Task UnpackAsync(string path, ArchiveKind kind, string to, CancellationToken cancellation)
    {
        if (kind is ArchiveKind.Deb)
        {
            var data = to + ".data";
            var packed = await DebPackage.CopyDataAsync(path, data, cancellation);
            await UnpackAsync(data, packed, to, cancellation);
            File.Delete(data);
            return;
        }

        await using var tar = WholeFile.CreatePrivate(to);
        switch (kind)
        {
            case ArchiveKind.TarGz:
                await using (var packed = new GZipStream(File.OpenRead(path), CompressionMode.Decompress))
                {
                    await CopyAsync(packed, tar, cancellation);
                }

                break;
            case ArchiveKind.Zip:
                await FromZipAsync(path, tar, cancellation);
                break;
            default:
                var program = kind is ArchiveKind.TarXz ? "xz" : "zstd";
                await tools.RunAsync(ToolCommand.Of(program, "-d", "-q", "-c", "--", Path.GetFullPath(path)) with
                {
                    OnOutput = bytes =>
                    {
                        Require(tar.Position + bytes.Length);
                        tar.Write(bytes.Span);
                    },
                    Limits = ToolLimits.OfMemory,
                }, cancellation);
                break;
        }
    }

    private async Task FromZipAsync(string path, FileStream tar, CancellationToken cancellation)
    {
        using var zip = ZipFile.OpenRead(path);
        foreach (var entry in zip.Entries)
        {
            var (mode, isFolder) = (entry.ExternalAttributes >> 16, entry.FullName.EndsWith('/'));
            var isLink = (mode & KindMask) == LinkKind;
            // Made on a system without modes: zip says nothing then.
            var permissions = mode == 0 ? (isFolder ? TreeEntry.Executable : TreeEntry.Readable) : (UnixFileMode)(mode & 0x1FF);
            await using var content = entry.Open();
            if (isFolder || isLink)
            {
                var link = isLink ? await LinkAsync(content, entry.FullName, cancellation) : "";
                await tar.WriteAsync(new TarMember(entry.FullName, 0) { Mode = permissions, Kind = isLink ? TarKind.Symlink : TarKind.Folder, LinkTarget = link }.Header(), cancellation);
                continue;
            }

            // What the directory says of a length isn't what comes: it is counted.
            var start = tar.Position;
            var member = new TarMember(entry.FullName, entry.Length) { Mode = permissions };
            Require(start + entry.Length);
            await tar.WriteAsync(member.Header(), cancellation);
            var first = tar.Position;
            await CopyAsync(content, tar, cancellation);
            if (tar.Position - first != entry.Length)
            {
                throw new InvalidDataException($"{CleanText.Line(entry.FullName, LongestLink)} has another length than it says");
            }

            await tar.WriteAsync(new byte[member.Padding], cancellation);
        }

        await tar.WriteAsync(TarMember.EndOfArchive, cancellation);
    }

    private static async Task<string> LinkAsync(Stream content, string name, CancellationToken cancellation)
    {
        var bytes = new byte[LongestLink + 1];
        var length = await content.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellation);
        return length <= LongestLink ? System.Text.Encoding.UTF8.GetString(bytes, 0, length) : throw new InvalidDataException($"the link {CleanText.Line(name, LongestLink)} is longer than any path");
    }

    private async Task CopyAsync(Stream from, FileStream to, CancellationToken cancellation)
    {
        var buffer = new byte[BufferSize];
        for (int read; (read = await from.ReadAsync(buffer, cancellation)) > 0;)
        {
            Require(to.Position + read);
            await to.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }
    }

    private void Require(long bytes)
    {
        if (bytes > MostBytes)
        {
            throw new InvalidDataException($"it has more than {MostBytes >> 20} MiB unpacked");
        }
    }
}
