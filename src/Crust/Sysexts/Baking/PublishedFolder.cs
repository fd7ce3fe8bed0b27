using System.Collections.Immutable;
using Crust.Downloads;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Sysexts.Baking;

/// <summary>
/// A folder of extensions as it was published, or as an earlier run left it. Whoever continues from a publication signs what is in it again: so what is in it counts only if it is
/// what was signed before.
/// </summary>
internal sealed class PublishedFolder
{
    private const int MostSignatureBytes = 1 << 20;

    private readonly string _folder;
    private readonly ImmutableDictionary<string, string>? _listed;
    private readonly bool _isPartial;

    private PublishedFolder(string folder, ImmutableDictionary<string, string>? listed, bool isSigned, bool isPartial) =>
        (_folder, _listed, IsSigned, _isPartial) = (folder, listed, isSigned, isPartial);

    /// <summary>The path of the folder's list of checksums; null if it has none.</summary>
    public string? List => _listed is null ? null : Path.Combine(_folder, SysextIndex.ListName);

    /// <summary>The files that it lists, with their checksums, in ordinal order.</summary>
    public IEnumerable<(string Name, string Sha256)> Listed => (_listed ?? ImmutableDictionary<string, string>.Empty).OrderBy(entry => entry.Key, StringComparer.Ordinal).Select(entry => (entry.Key, entry.Value));

    /// <summary>Whether keys were given, one of which has signed what there is.</summary>
    public bool IsSigned { get; }

    /// <summary>Looks at a folder, which may be empty or not there.</summary>
    /// <param name="keys">A file with the public keys of which one has to have signed the list; null if that isn't checked.</param>
    /// <param name="isPartial">Whether the files that are listed need not be there.</param>
    /// <exception cref="CrustException">The list isn't signed by one of the keys, or a file isn't the one that was signed.</exception>
    public static async Task<PublishedFolder> ReadAsync(string folder, string? keys, bool isPartial, ListSignature signatures, Func<string, bool> isWanted, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, SysextIndex.ListName);
        ImmutableDictionary<string, string>? listed = null;
        if (File.Exists(path))
        {
            UserFile.Read(path, path, "list of checksums", out var bytes);
            bytes = keys is null ? bytes : await SignedAsync(folder, bytes, keys, signatures, cancellation);
            listed = ChecksumList.Parse(bytes).Sha256Sums.DistinctBy(entry => entry.Name).ToImmutableDictionary(entry => entry.Name, entry => entry.Sum);
        }

        var published = new PublishedFolder(folder, listed, keys is not null, isPartial);
        if (keys is not null && Directory.Exists(folder))
        {
            // What is wanted is built anew where it isn't as it was signed; what isn't wanted any more would be signed unseen.
            foreach (var file in Directory.EnumerateFiles(folder, "*.raw").Where(file => !isWanted(Path.GetFileName(file))).Order(StringComparer.Ordinal))
            {
                await published.RequireAsync(file, cancellation);
            }
        }

        return published;
    }

    /// <summary>Whether a file is there, or was published and need not be, and is the one that was built.</summary>
    public async Task<bool> HasAsync(BakedFile file, CancellationToken cancellation)
    {
        var (path, sum) = (Path.Combine(_folder, file.FileName), _listed?.GetValueOrDefault(file.FileName));
        if ((IsSigned && sum is null) || (sum is not null && sum != file.Sha256))
        {
            return false;
        }

        return File.Exists(path) ? await Checksum.OfFileAsync(path, cancellation) == file.Sha256 : _isPartial && sum is not null;
    }

    /// <summary>Whether a file is in the folder, or was published.</summary>
    public bool Names(string fileName) => File.Exists(Path.Combine(_folder, fileName)) || (_isPartial && _listed?.ContainsKey(fileName) is true);

    private async Task RequireAsync(string path, CancellationToken cancellation)
    {
        var sum = _listed?.GetValueOrDefault(Path.GetFileName(path));
        if (sum is null || await Checksum.OfFileAsync(path, cancellation) != sum)
        {
            throw new CrustException(FailureKind.BadInput, sum is null ? "The signed list of checksums doesn't have this file" : "The file isn't the one whose checksum was signed", path,
                "take the folder anew from where it is published; remove the file if you don't want it published any more");
        }
    }

    private static async Task<byte[]> SignedAsync(string folder, byte[] list, string keys, ListSignature signatures, CancellationToken cancellation)
    {
        var signature = Path.Combine(folder, SysextIndex.SignatureName);
        if (!File.Exists(signature))
        {
            throw new CrustException(FailureKind.BadInput, "The list of checksums isn't signed, and the keys of its signer are given", signature,
                "take the folder anew from where it is published; leave --keyring out for one that was never signed");
        }

        var bytes = UserFile.ReadSmall(signature, signature, "signature", MostSignatureBytes, "take the folder anew from where it is published");
        try
        {
            return await signatures.CheckAsync(list, bytes, keys, "--keyring", Path.Combine(folder, SysextIndex.ListName), cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.BadInput)
        {
            throw new CrustException(e.Kind, e.What, e.Where, $"take the folder anew from where it is published, and see that {keys} has the key that signs it", e) { Detail = e.Detail };
        }
    }
}
