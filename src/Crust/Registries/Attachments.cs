using System.Text;
using System.Text.Json;
using Crust.Attestation;
using Crust.Images;
using Crust.Oci;
using Crust.Reports;

namespace Crust.Registries;

/// <summary>The files beside images that are attached to each of them in a registry.</summary>
internal static class Attachments
{
    // A newer one of a kind takes the older one's place.
    private static readonly (string Extension, string Type, string MediaType)[] Kinds =
    [
        (".manifest.json", ManifestType, "application/json"),
        (".manifest.json" + Signer.SshExtension, ManifestSignatureType, "text/plain"),
        (".manifest.json" + Signer.GpgExtension, ManifestSignatureType, "application/pgp-signature"),
        (".report.html", "application/vnd.crust.report.v1", "text/html"),
        (ImageCheck.Extension, "application/vnd.in-toto+json", "application/vnd.in-toto+json"),
        (ImageCheck.Extension + Signer.SshExtension, SignatureType, "text/plain"),
        (ImageCheck.Extension + Signer.GpgExtension, SignatureType, "application/pgp-signature"),
        (Attestor.SbomExtension, SbomType, SbomType),
    ];

    /// <summary>What the manifest of a build is.</summary>
    public const string ManifestType = "application/vnd.crust.manifest.v1+json";

    /// <summary>What the signature of a build's manifest is.</summary>
    public const string ManifestSignatureType = "application/vnd.crust.manifest-signature.v1";

    /// <summary>What the list of packages is.</summary>
    public const string SbomType = "application/spdx+json";

    // What is read as a whole is no longer than this.
    private const long Longest = 64 << 20;

    private const string SignatureType = "application/vnd.crust.signature.v1";
    private const string ChecksumsType = "application/vnd.crust.checksums.v1";

    /// <summary>Those that there are, each an artifact of its own.</summary>
    /// <param name="subject">The image that they are attached to.</param>
    /// <exception cref="IOException">One can't be read.</exception>
    public static IReadOnlyList<Artifact> Of(Manifest manifest, ImagesFolder shelf, OciDescriptor subject, string scratch) =>
    [
        .. Kinds.Select(kind => (kind.Type, kind.MediaType, Path: shelf.PrefixOf(manifest.Name) + kind.Extension))
            .Where(kind => File.Exists(kind.Path) && (kind.Path != shelf.ReportPath(manifest.Name) || ReportFile.IsOfSuccess(kind.Path)))
            .Select(kind => Artifact.Attached(kind.Type, kind.MediaType, Path.GetFileName(kind.Path), File.ReadAllBytes(kind.Path), subject, scratch)),
        Artifact.Attached(ChecksumsType, "text/plain", ChecksumFile.Name, Encoding.UTF8.GetBytes(ChecksumFile.Of(manifest)), subject, scratch),
    ];

    /// <summary>The tag of the list of what is attached to an image (OCI Distribution Specification 1.1, "Referrers Tag Schema").</summary>
    public static string ListOf(string digest) => digest.Replace(':', '-');

    /// <summary>The one file of an artifact that is attached to an image; null if it is something else.</summary>
    public static OciDescriptor? FileOf(byte[] manifest, string subject)
    {
        try
        {
            using var json = JsonDocument.Parse(manifest);
            return json.RootElement.GetProperty("subject").GetProperty("digest").GetString() == subject && OciManifest.OnlyLayerOf(manifest) is { Size: <= Longest } file ? file : null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }

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
