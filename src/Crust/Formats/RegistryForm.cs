using Crust.Oci;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>How registries have a format's images.</summary>
internal sealed record RegistryForm
{
    /// <summary>
    /// The environment variable with the reference that images of this format alone are published under. Its key in the spec is publish.images.FORMAT. Null for none.
    /// </summary>
    public string? ReferenceVariable { get; init; }

    /// <summary>Whether the tag is the one that the user gave, for formats whose users write it elsewhere. Otherwise the format's name follows, which tells the formats apart.</summary>
    public bool HasTagAsGiven { get; init; }

    /// <summary>The name of a format that has the same disk in far fewer bytes, for images with holes, which a registry stores as zeros; null for none.</summary>
    public string? Smaller { get; init; }

    /// <summary>Reads and makes the image's file where that is an archive with an OCI image; null where the file itself is the layer of an artifact.</summary>
    public IOciArchive? Archive { get; init; }
}

/// <summary>An OCI image that a registry gave.</summary>
/// <param name="Name">The images' base name.</param>
/// <param name="Arch">The architecture that the guest is for.</param>
/// <param name="Folder">Where it lies: manifest.json, and each blob under its SHA-256 in hex.</param>
/// <param name="From">The reference that it came from, for messages.</param>
internal sealed record OciPull(string Name, Arch Arch, string Folder, string From);

/// <summary>A format whose file is an archive with an OCI image. Registries are given the image, and the archive is made anew from it.</summary>
internal interface IOciArchive
{
    /// <summary>The manifest of the image in an archive, as it is there.</summary>
    /// <exception cref="CrustException">It is no archive with one image.</exception>
    OciDocument ReadManifest(string path);

    /// <summary>Makes the archive anew, with the same bytes.</summary>
    /// <returns>The archive's SHA-256 in hex.</returns>
    /// <exception cref="InvalidDataException">The image isn't one of this format.</exception>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    string Pack(OciPull image, string path, CancellationToken cancellation);
}
