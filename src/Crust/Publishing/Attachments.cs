using System.Text;
using Crust.Attestation;
using Crust.Oci;
using Crust.Reports;

namespace Crust.Publishing;

/// <summary>The files beside images that are attached to each of them in a registry.</summary>
internal static class Attachments
{
    // A newer one of a kind takes the older one's place.
    private static readonly (string Extension, string Type, string MediaType)[] Kinds =
    [
        (".manifest.json", "application/vnd.crust.manifest.v1+json", "application/json"),
        (".report.html", "application/vnd.crust.report.v1", "text/html"),
        (ImageCheck.Extension, "application/vnd.in-toto+json", "application/vnd.in-toto+json"),
        (ImageCheck.Extension + Signer.SshExtension, SignatureType, "text/plain"),
        (ImageCheck.Extension + Signer.GpgExtension, SignatureType, "application/pgp-signature"),
        (Attestor.SbomExtension, "application/spdx+json", "application/spdx+json"),
    ];

    private const string SignatureType = "application/vnd.crust.signature.v1";
    private const string ChecksumsType = "application/vnd.crust.checksums.v1";

    /// <summary>Those that there are, each an artifact of its own.</summary>
    /// <param name="manifest">The images' manifest.</param>
    /// <param name="shelf">Their folder.</param>
    /// <param name="subject">The image that they are attached to.</param>
    /// <param name="scratch">A private folder.</param>
    /// <exception cref="IOException">One can't be read.</exception>
    public static IReadOnlyList<Artifact> Of(Manifest manifest, ImagesFolder shelf, OciDescriptor subject, string scratch) =>
    [
        .. Kinds.Select(kind => (kind.Type, kind.MediaType, Path: shelf.PrefixOf(manifest.Name) + kind.Extension))
            .Where(kind => File.Exists(kind.Path) && (kind.Path != shelf.ReportPath(manifest.Name) || ReportFile.IsOfSuccess(kind.Path)))
            .Select(kind => Artifact.Attached(kind.Type, kind.MediaType, Path.GetFileName(kind.Path), File.ReadAllBytes(kind.Path), subject, scratch)),
        Artifact.Attached(ChecksumsType, "text/plain", ChecksumFile.Name, Encoding.UTF8.GetBytes(ChecksumFile.Of(manifest)), subject, scratch),
    ];

    /// <summary>Whether an artifact that is attached in the registry is an older one of these.</summary>
    public static bool Replaces(Artifact artifact, OciDescriptor there) =>
        there.Digest != artifact.Descriptor.Digest
        && (there.ArtifactType is null || there.ArtifactType == artifact.Descriptor.ArtifactType)
        && there.Annotations.GetValueOrDefault(TypeNote) == artifact.Descriptor.ArtifactType;

    /// <summary>Its entry in the list of what is attached to an image.</summary>
    public static OciDescriptor EntryOf(Artifact artifact) => artifact.Descriptor with
    {
        Annotations = artifact.Descriptor.Annotations.SetItem(TypeNote, artifact.Descriptor.ArtifactType!),
    };

    /// <summary>The annotation in an index that says what an artifact is: registries without the referrers API get it from older versions of skopeo without its type.</summary>
    public const string TypeNote = "vnd.crust.artifact-type";
}
