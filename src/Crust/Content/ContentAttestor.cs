using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Content;

/// <summary>Writes what goes beside a bundle to say what is in it and where that comes from: an SBOM, a provenance, and the provenance's signature.</summary>
/// <param name="time">Gives the time at which the build ends.</param>
internal sealed class ContentAttestor(Signer signer, TimeProvider time)
{
    /// <summary>Names the meaning of the parameters; docs/provenance.md tells it. Changes when that does.</summary>
    public const string BuildType = "urn:crust:content:1";

    /// <summary>The names of all that may stand beside a bundle, also when this build doesn't write it.</summary>
    public static (ImmutableArray<string> Documents, ImmutableArray<string> Signatures) NamesFor(string name) =>
        ([name + Attestor.SbomExtension, name + ImageCheck.Extension], Signer.PlacesFor(name + ImageCheck.Extension));

    /// <summary>Signs something that is thrown away, so that a key that can't is told before anything is pulled.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    public async Task TryKeyAsync(SignSpec sign, CancellationToken cancellation)
    {
        if (sign.IsWanted)
        {
            await signer.TryAsync(sign, cancellation);
        }
    }

    /// <summary>Writes the documents.</summary>
    /// <param name="started">When the build began.</param>
    /// <returns>Their paths in the folder.</returns>
    /// <exception cref="CrustException">The key can't sign.</exception>
    /// <exception cref="IOException">Something can't be written.</exception>
    public async Task<ImmutableArray<string>> WriteAsync(ContentManifest manifest, ContentPlan plan, SignSpec sign, DateTimeOffset started, string folder, CancellationToken cancellation)
    {
        var (sbom, provenance) = (Path.Combine(folder, manifest.Name + Attestor.SbomExtension), Path.Combine(folder, manifest.Name + ImageCheck.Extension));
        var list = ContentSbom.Write(manifest);
        await File.WriteAllTextAsync(sbom, list, cancellation);
        var byproduct = Resource.Of(Path.GetFileName(sbom), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(list)))) with { MediaType = "application/spdx+json" };
        await File.WriteAllTextAsync(provenance, Provenance(manifest, plan, started, byproduct).ToJson(), cancellation);
        return sign.IsWanted ? [sbom, provenance, (await signer.SignAsync(sign, provenance, cancellation)).Path] : [sbom, provenance];
    }

    private Statement Provenance(ContentManifest manifest, ContentPlan plan, DateTimeOffset started, Resource sbom) => new()
    {
        Subject = [.. manifest.Parts.Select(part => Resource.Of(part.File, part.Sha256))],
        Predicate = new(
            new BuildDefinition
            {
                BuildType = BuildType,
                ExternalParameters = new JsonObject { ["name"] = plan.Name, ["split"] = plan.Split, ["level"] = plan.Level },
                InternalParameters = new JsonObject { ["key"] = manifest.Key, ["joined"] = manifest.Sha256 },
                ResolvedDependencies = [.. manifest.Images.SelectMany(ImagesOf), .. manifest.Files.Select(file => Resource.Of(CleanText.Line(file.Path), file.Sha256)), ProvenanceWriter.Program()],
            },
            new RunDetails(
                new Builder(ProvenanceWriter.BuilderId, ImmutableSortedDictionary<string, string>.Empty.Add("crust", CrustVersion.Current)),
                new RunMetadata($"urn:uuid:{Guid.NewGuid()}", ProvenanceWriter.Time(started), ProvenanceWriter.Time(time.GetUtcNow())),
                [sbom])),
    };

    private static IEnumerable<Resource> ImagesOf(PackedImage image) => image.Platforms.Select(platform => Resource.Of(image.Names[0], platform.Digest["sha256:".Length..]) with
    {
        Uri = ContentSbom.PackageUrl(image, platform),
        Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("arch", platform.Arch).Add("source", image.Source),
    });
}
