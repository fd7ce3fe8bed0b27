using System.Security.Cryptography;
using Crust.Oci;
using Crust.Storage;
using Crust.Trees;

namespace Crust.Registries;

/// <summary>
/// An OCI image layout in a folder, for skopeo to read. Files that are blobs are links, never copies.
/// </summary>
internal sealed class OciLayout
{
    private readonly string _name;
    private readonly string _folder;
    private readonly List<OciDescriptor> _named = [];

    private OciLayout(string parent, string name)
    {
        _name = name;
        _folder = Path.Combine(parent, name);
        Directory.CreateDirectory(Path.Combine(_folder, "blobs", "sha256"));
        File.WriteAllBytes(Path.Combine(_folder, "oci-layout"), OciManifest.Layout.Json);
    }

    /// <summary>An empty one, in a folder of its own.</summary>
    /// <exception cref="IOException">It can't be made.</exception>
    public static OciLayout Create(string parent) => new(parent, $"layout-{Guid.NewGuid().ToString("N")[..12]}");

    public void Add(OciDocument document) => File.WriteAllBytes(PathOf(document.Sha256), document.Json);

    /// <summary>Adds a file where it is; it must stay as it is.</summary>
    public void Add(OciDescriptor descriptor, string path)
    {
        // Two files of an image may hold the same.
        if (!File.Exists(PathOf(descriptor.Sha256)))
        {
            File.CreateSymbolicLink(PathOf(descriptor.Sha256), Path.GetFullPath(path));
        }
    }

    /// <summary>Adds a copy of a blob that lies in an archive.</summary>
    /// <exception cref="InvalidDataException">It isn't what its digest says.</exception>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public async Task AddAsync(OciDescriptor descriptor, TreeContent blob, CancellationToken cancellation)
    {
        var path = PathOf(descriptor.Sha256);
        if (File.Exists(path))
        {
            return;
        }

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using (var copy = PrivateFile.Create(path))
        {
            foreach (var piece in blob.Pieces())
            {
                hash.AppendData(piece.Span);
                await copy.WriteAsync(piece, cancellation);
            }
        }

        if (Convert.ToHexStringLower(hash.GetHashAndReset()) is var actual && actual != descriptor.Sha256)
        {
            throw new InvalidDataException($"a blob isn't what its digest says: expected {descriptor.Sha256}, it has {actual}");
        }
    }

    /// <summary>Makes what was added pushable.</summary>
    /// <param name="manifest">Its manifest or index.</param>
    /// <returns>Its name for skopeo, from the parent folder.</returns>
    public string Name(OciDescriptor manifest)
    {
        _named.Add(manifest with { Annotations = manifest.Annotations.Clear().Add(OciManifest.RefName, manifest.Sha256), ArtifactType = null });
        File.WriteAllBytes(Path.Combine(_folder, "index.json"), OciManifest.Index(_named).Json);
        return $"oci:{_name}:{manifest.Sha256}";
    }

    private string PathOf(string sha256) => Path.Combine(_folder, "blobs", "sha256", sha256);
}
