using System.Buffers;
using System.Security.Cryptography;
using Crust.Disks;
using Crust.Formats;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Attestation;

/// <summary>An image of which is known where it comes from.</summary>
/// <param name="By">Who says so.</param>
/// <param name="Digest">How the image is named in it: the algorithm and the digest.</param>
internal sealed record CheckedImage(SignedBy By, string Provenance, string Digest);

/// <summary>Checks that images are those whose provenance somebody has signed. Boots nothing.</summary>
/// <param name="tools">Needs ssh-keygen or gpg.</param>
/// <param name="folders">Give a place for what is needed meanwhile.</param>
internal sealed class ImageCheck(ToolBox tools, Folders folders)
{
    /// <summary>What a provenance's name ends with, behind the images' name.</summary>
    internal const string Extension = ".provenance.json";

    // What names of system extensions end with.
    private const string Sysext = ".raw";

    // What names of bundles of content have in them: parts go on behind it.
    private const string Bundle = ".tar.zst";

    private const string RegularFiles = "put the file there that came with the image";

    private readonly SignatureChecker _checker = new(tools);

    /// <summary>Checks one image, with the provenance and the signature that lie beside it.</summary>
    /// <param name="image">The image's path.</param>
    /// <param name="keys">The keys that are trusted: an allowed-signers file, or GPG's public keys.</param>
    /// <exception cref="CrustException">Something is missing, or isn't what was signed.</exception>
    public async Task<CheckedImage> CheckAsync(string image, string keys, CancellationToken cancellation)
    {
        RegularFile.Require(image, "image", "name an image that exists, such as images/*.vmdk");
        var provenance = ProvenanceOf(image);
        if (!File.Exists(provenance))
        {
            throw new CrustException(FailureKind.BadInput, "There is no provenance beside the image", provenance, "get it, and its signature, from where the image came from");
        }

        RegularFile.Require(provenance, "provenance", RegularFiles);
        using var scratch = new ScratchFolder(folders.Cache);
        // What is checked is what is read: nobody can change the file in between.
        var copy = Path.Combine(scratch.Path, Path.GetFileName(provenance));
        File.Copy(provenance, copy);
        foreach (var signature in Signer.PlacesFor(provenance).Where(File.Exists))
        {
            RegularFile.Require(signature, "signature", RegularFiles);
            File.Copy(signature, Path.Combine(scratch.Path, Path.GetFileName(signature)));
        }

        SignedBy by;
        try
        {
            by = await _checker.CheckAsync(copy, keys, scratch.Path, cancellation);
        }
        catch (CrustException e) when (e is not ToolMissingException)
        {
            // The user knows nothing of the copies.
            throw new CrustException(e.Kind, e.What, e.Where.Replace(scratch.Path, Path.GetDirectoryName(provenance), StringComparison.Ordinal), e.Remedy, e)
            {
                Detail = e.Detail.Replace(scratch.Path + "/", "", StringComparison.Ordinal),
            };
        }

        return new CheckedImage(by, provenance, await CheckDigestAsync(image, provenance, Parse(provenance, copy), cancellation));
    }

    private static async Task<string> CheckDigestAsync(string image, string provenance, Statement statement, CancellationToken cancellation)
    {
        var name = Path.GetFileName(image);
        var digest = statement.Subject.FirstOrDefault(subject => subject.Name == name)?.Digest
            ?? throw new CrustException(FailureKind.BadInput, $"The provenance isn't about an image called {name}", provenance,
                "give the image the name back that it was built under; one that was made of an earlier install has to be built again");
        if (digest.GetValueOrDefault(Resource.Sha256) is { } sum)
        {
            var found = await SparseHash.ComputeAsync(image, cancellation);
            return found == sum ? $"sha256:{sum}" : throw Changed($"its SHA-256 is {found}, and the provenance says {sum}");
        }

        if (digest.GetValueOrDefault(Resource.BlockMapSha256) is { } mapSum)
        {
            await CheckMapAsync(mapSum);
            return $"{Resource.BlockMapSha256}:{mapSum}";
        }

        throw new CrustException(FailureKind.BadInput, $"The provenance has no digest of {name} that this Crust knows", provenance, "use the Crust that the image was built with, or a newer one");

        async Task CheckMapAsync(string expected)
        {
            var path = image + BmapFile.Extension;
            if (!File.Exists(path))
            {
                throw new CrustException(FailureKind.BadInput, "There is no block map beside the image, by which it is checked", path, "get it from where the image came from");
            }

            RegularFile.Require(path, "block map", RegularFiles);
            var bytes = await File.ReadAllBytesAsync(path, cancellation);
            if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != expected)
            {
                throw Changed("its block map is another than the provenance says");
            }

            if (await FindDifferenceAsync(image, BmapFile.Parse(bytes, path), cancellation) is { } difference)
            {
                throw Changed(difference);
            }
        }

        CrustException Changed(string how) => new(FailureKind.BadInput, $"The image isn't the one that the provenance is about: {how}", image,
            "don't use it unless you know why; get it again from where it came from. A machine that has booted it writably has changed it");
    }

    private static Task<string?> FindDifferenceAsync(string image, BlockMap map, CancellationToken cancellation) => Task.Run(() =>
    {
        using var file = File.OpenHandle(image, options: FileOptions.SequentialScan);
        if (RandomAccess.GetLength(file) != map.Size)
        {
            return $"it has {RandomAccess.GetLength(file)} bytes, and its block map says {map.Size}";
        }

        var buffer = ArrayPool<byte>.Shared.Rent(BlockMap.Slot);
        try
        {
            foreach (var range in map.Ranges)
            {
                cancellation.ThrowIfCancellationRequested();
                if (range.Length > buffer.Length || file.ReadUpTo(buffer.AsSpan(0, range.Length), range.Offset) != range.Length
                    || Convert.ToHexStringLower(SHA256.HashData(buffer.AsSpan(0, range.Length))) != range.Sha256)
                {
                    return $"the {range.Length} bytes from {range.Offset} on are others";
                }
            }

            // What no range covers has to be zeros; holes are, and needn't be read.
            var next = 0;
            foreach (var extent in SparseFile.ReadExtents(file))
            {
                for (var position = extent.Offset; position < extent.End;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    while (next < map.Ranges.Length && map.Ranges[next].End <= position)
                    {
                        next++;
                    }

                    var range = next < map.Ranges.Length ? map.Ranges[next] : new BlockRange(map.Size, 0, "");
                    if (range.Offset <= position && range.Length > 0)
                    {
                        position = range.End;
                        continue;
                    }

                    var piece = buffer.AsSpan(0, (int)Math.Min(BlockMap.Slot, Math.Min(extent.End, range.Offset) - position));
                    if (file.ReadUpTo(piece, position) != piece.Length || piece.ContainsAnyExcept((byte)0))
                    {
                        return $"there is data from {position} on, where it had none";
                    }

                    position += piece.Length;
                }
            }

            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }, cancellation);

    private static Statement Parse(string provenance, string copy)
    {
        try
        {
            return Statement.Parse(File.ReadAllBytes(copy));
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The provenance can't be read: {e.Message}", provenance, "get it again from where the image came from", e);
        }
    }

    /// <summary>Where the provenance of an image is: beside it, under the name that all of its build share.</summary>
    internal static string ProvenanceOf(string image)
    {
        if (image.EndsWith(Sysext, StringComparison.Ordinal))
        {
            return image[..^Sysext.Length] + Extension;
        }

        if (Path.GetFileName(image).LastIndexOf(Bundle, StringComparison.Ordinal) is > 0 and var cut)
        {
            return image[..^(Path.GetFileName(image).Length - cut)] + Extension;
        }

        var format = ImageFormats.All.Where(format => image.EndsWith(format.Extension, StringComparison.OrdinalIgnoreCase)).MaxBy(format => format.Extension.Length)
            ?? throw new CrustException(FailureKind.BadInput, "The image's name doesn't say of which kind it is", image,
                $"name it with one of these extensions: {string.Join(" ", ImageFormats.All.Select(format => format.Extension))}");
        return image[..^format.Extension.Length] + Extension;
    }
}
