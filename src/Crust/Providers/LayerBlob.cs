using System.IO.Compression;
using System.Security.Cryptography;
using Crust.Oci;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Providers;

/// <summary>A layer as a file: what images name it by, and what it is once it is unpacked.</summary>
/// <param name="Descriptor">Of the compressed archive.</param>
/// <param name="DiffId">The digest of the archive before it was compressed.</param>
/// <param name="Path">Where the compressed archive is on this host.</param>
/// <param name="Shown">What it has, for people.</param>
internal sealed record LayerBlob(OciDescriptor Descriptor, string DiffId, string Path, string Shown)
{
    // All that pull images know gzip; zstd isn't known to those of 2022.
    private const string GzipType = OciManifest.LayerType + "+gzip";

    /// <summary>Writes a tree as a layer, the same bytes for the same tree: all files have one time, and gzip's header has none.</summary>
    /// <param name="path">The file; there must be nothing.</param>
    /// <param name="time">The time of all files, in seconds since 1970.</param>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    public static async Task<LayerBlob> WriteAsync(FileTree tree, string path, string shown, long time, CancellationToken cancellation)
    {
        using var unpacked = SHA256.Create();
        using var packed = SHA256.Create();
        await using (var file = WholeFile.CreatePrivate(path))
        {
            await using var hashed = new CryptoStream(file, packed, CryptoStreamMode.Write);
            await using var gzip = new GZipStream(hashed, CompressionLevel.Optimal);
            await using var archive = new CryptoStream(gzip, unpacked, CryptoStreamMode.Write);
            await tree.WriteTarAsync(archive, time, cancellation);
        }

        return new LayerBlob(new OciDescriptor(GzipType, OciDescriptor.DigestOf(Convert.ToHexStringLower(packed.Hash!)), new FileInfo(path).Length),
            OciDescriptor.DigestOf(Convert.ToHexStringLower(unpacked.Hash!)), path, shown);
    }
}
