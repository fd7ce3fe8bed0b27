using Crust.Storage;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>An archive of container images, as `docker save` and skopeo write it.</summary>
internal static class ImageArchive
{
    private static readonly byte[] Gzip = [0x1f, 0x8b];
    private static readonly byte[] Zstd = [0x28, 0xb5, 0x2f, 0xfd];

    /// <summary>The entry of an archive in a folder of a tree.</summary>
    /// <param name="folder">The folder, with a slash in front.</param>
    /// <exception cref="CrustException">It is no such archive. One that is compressed is known by its first bytes alone.</exception>
    public static TreeEntry In(string folder, string path)
    {
        using var file = RegularFile.Open(path, "archive", "name an archive of images");
        var start = file.ReadUpTo(0, Zstd.Length);
        var isKnown = Path.GetExtension(path) switch
        {
            ".gz" => start.AsSpan().StartsWith(Gzip),
            ".zst" => start.AsSpan().StartsWith(Zstd),
            _ => FileTree.FromTar(path) is var tree && (tree.Find("manifest.json") ?? tree.Find("index.json")) is not null,
        };
        return isKnown ? TreeEntry.File($"{folder[1..]}/{Path.GetFileName(path)}", TreeContent.OfFile(path, 0, RandomAccess.GetLength(file)))
            : throw new CrustException(FailureKind.BadInput, "This isn't an archive of container images", path, "write one by docker save or skopeo copy … oci-archive:FILE, and name it after what it is");
    }
}
