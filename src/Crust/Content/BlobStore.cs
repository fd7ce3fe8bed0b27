using System.Collections.Immutable;
using Crust.Oci;
using Crust.Storage;

namespace Crust.Content;

/// <summary>
/// Layers of images in this machine's cache, each under its digest: an image that shares layers with another one pulls only the others, and so does a build that goes on where one was
/// cut off. skopeo gives a blob its name once it is whole and its digest is checked; whoever packs it checks the digest once more.
/// </summary>
/// <param name="cache">The cache's folder.</param>
internal sealed class BlobStore(string cache)
{
    private const string Algorithm = "sha256";

    public string Folder { get; } = Path.Combine(cache, "blobs");

    /// <summary>Makes the folder.</summary>
    /// <exception cref="CrustException">It can't be made.</exception>
    public void Create()
    {
        try
        {
            PrivateFolder.Create(Path.Combine(Folder, Algorithm));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.HostLacks, $"The cache can't be written: {e.Message}", Folder,
                "make it writable, or set CRUST_CACHE to a folder that is", e);
        }
    }

    public string PathOf(OciDescriptor blob) => Path.Combine(Folder, Algorithm, blob.Sha256);

    /// <summary>Those of some blobs that aren't there, or not wholly, each once.</summary>
    public ImmutableArray<OciDescriptor> Missing(IEnumerable<OciDescriptor> blobs) =>
        [.. blobs.DistinctBy(blob => blob.Digest).Where(blob => new FileInfo(PathOf(blob)) is not { Exists: true } file || file.Length != blob.Size)];

    /// <summary>Removes what has a blob's name and isn't it: skopeo would take it for the blob.</summary>
    public void Remove(IEnumerable<OciDescriptor> blobs)
    {
        foreach (var blob in blobs)
        {
            File.Delete(PathOf(blob));
        }
    }
}
