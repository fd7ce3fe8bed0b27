using System.Collections.Immutable;
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

    private readonly BuiltAttestor _attestor = new(signer, time);

    /// <summary>Signs something that is thrown away, so that a key that can't is told before anything is pulled.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    public Task TryKeyAsync(SignSpec sign, CancellationToken cancellation) => _attestor.TryKeyAsync(sign, cancellation);

    /// <summary>Writes the documents.</summary>
    /// <param name="started">When the build began.</param>
    /// <returns>Their paths in the folder.</returns>
    /// <exception cref="CrustException">The key can't sign.</exception>
    /// <exception cref="IOException">Something can't be written.</exception>
    public Task<ImmutableArray<string>> WriteAsync(ContentManifest manifest, ContentPlan plan, SignSpec sign, DateTimeOffset started, string folder, CancellationToken cancellation) =>
        _attestor.WriteAsync(new BuiltThing(manifest.Name, BuildType, ContentSbom.Write(manifest))
        {
            Subject = [.. manifest.Parts.Select(part => Resource.Of(part.File, part.Sha256))],
            External = new JsonObject { ["name"] = plan.Name, ["split"] = plan.Split, ["level"] = plan.Level },
            Internal = new JsonObject { ["key"] = manifest.Key, ["joined"] = manifest.Sha256 },
            Dependencies = manifest.Images.SelectMany(ImagesOf).Concat(manifest.Files.Select(file => Resource.Of(CleanText.Line(file.Path), file.Sha256))),
        }, sign, started, folder, cancellation);

    private static IEnumerable<Resource> ImagesOf(PackedImage image) => image.Platforms.Select(platform => Resource.Of(image.Names[0], platform.Digest["sha256:".Length..]) with
    {
        Uri = ContentSbom.PackageUrl(image, platform),
        Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("arch", platform.Arch).Add("source", image.Source),
    });
}
