using System.Security.Cryptography;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Attestation;

/// <summary>What goes beside images to say where they come from, under temporary names: paths; null for what there is none of.</summary>
/// <param name="Provenance">The in-toto statement.</param>
internal sealed record Attestations(string? Sbom, string? Provenance, DetachedSignature? Signature)
{
    public static Attestations None { get; } = new(null, null, null);
}

/// <summary>Writes what goes beside a manifest's images to say where they come from.</summary>
/// <param name="time">Gives the time at which the build ends.</param>
internal sealed class Attestor(Signer signer, TimeProvider time)
{
    /// <summary>What a list of packages ends with, behind the images' name.</summary>
    internal const string SbomExtension = ".sbom.spdx.json";

    /// <summary>The fingerprint of the key that the spec signs with, once it has proved that it can; null if nothing is signed.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    internal async Task<string?> TryKeyAsync(SignSpec sign, CancellationToken cancellation) => sign.IsWanted ? await signer.TryAsync(sign, cancellation) : null;

    /// <summary>Whether what lies beside a manifest's images is all that has to, as far as the manifest says.</summary>
    /// <param name="key">The fingerprint of the key that signs; null if nothing is signed.</param>
    /// <param name="isIntact">Whether a file has the SHA-256 that the manifest says.</param>
    internal static bool IsCurrent(Manifest manifest, string? key, Func<ManifestFile, bool> isIntact) =>
        !ProvenanceWriter.SubjectsOf(manifest).Any()
        || (manifest.Provenance is { } provenance && isIntact(provenance)
            && manifest.Signature?.Key == key && (manifest.Signature is not { } signature || isIntact(new ManifestFile(signature.File, signature.Size, signature.Sha256))));

    /// <param name="manifest">The manifest as it will be, but for what is written now.</param>
    /// <param name="sbom">The list of packages; null to leave the one that is there, if there is one.</param>
    /// <exception cref="CrustException">The key can't sign.</exception>
    internal async Task<Attestations> WriteAsync(Manifest manifest, BuildSpec spec, string? sbom, string drafts, CancellationToken cancellation)
    {
        if (!ProvenanceWriter.SubjectsOf(manifest).Any())
        {
            return Attestations.None;
        }

        try
        {
            string? list = null;
            if (sbom is not null)
            {
                list = Path.Combine(drafts, manifest.Name + SbomExtension);
                await File.WriteAllTextAsync(list, sbom, cancellation);
                manifest = manifest with { Sbom = FileOf(list) };
            }

            var provenance = Path.Combine(drafts, manifest.Name + ImageCheck.Extension);
            await File.WriteAllTextAsync(provenance, ProvenanceWriter.Write(manifest, spec, time.GetUtcNow()).ToJson(), cancellation);
            return new(list, provenance, spec.Sign.IsWanted ? await signer.SignAsync(spec.Sign, provenance, cancellation) : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"What says where the images come from can't be written: {e.Message}", drafts,
                "free space in the images folder and make it writable; the installed disk is cached, so nothing is installed again", e);
        }
    }

    /// <summary>Whether the manifest beside images is signed, if it has to be.</summary>
    internal static bool IsManifestSigned(SignSpec sign, string manifest) => !sign.IsWanted || Signer.PlacesFor(manifest).Any(File.Exists);

    /// <summary>Signs the manifest beside images, so that who takes them from a registry can tell who has made and proven them; removes a signature that is of another.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    internal async Task SignManifestAsync(SignSpec sign, string manifest, string drafts, CancellationToken cancellation)
    {
        foreach (var stale in Signer.PlacesFor(manifest))
        {
            File.Delete(stale);
        }

        if (sign.IsWanted)
        {
            var draft = Path.Combine(drafts, Path.GetFileName(manifest));
            File.Copy(manifest, draft, overwrite: true);
            var made = await signer.SignAsync(sign, draft, cancellation);
            OutputFile.Place(made.Path, Path.Combine(Path.GetDirectoryName(manifest)!, Path.GetFileName(made.Path)));
        }
    }

    /// <summary>A small file as a manifest has it.</summary>
    internal static ManifestFile FileOf(string path)
    {
        var bytes = File.ReadAllBytes(path);
        return new(Path.GetFileName(path), bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)));
    }
}
