using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Spec;

namespace Crust.Attestation;

/// <summary>What is attested of something that was built and is no image of a disk.</summary>
/// <param name="Name">What its documents' names begin with.</param>
/// <param name="BuildType">Names the meaning of the parameters; docs/provenance.md tells it.</param>
/// <param name="Sbom">The list of what is in it, an SPDX document as JSON.</param>
internal sealed record BuiltThing(string Name, string BuildType, string Sbom)
{
    /// <summary>The files that were built.</summary>
    public required ImmutableArray<Resource> Subject { get; init; }

    /// <summary>What the user said.</summary>
    public required JsonObject External { get; init; }

    /// <summary>What Crust decided itself.</summary>
    public JsonObject Internal { get; init; } = [];

    /// <summary>What it was made of; the program itself is added.</summary>
    public required IEnumerable<Resource> Dependencies { get; init; }
}

/// <summary>Writes what goes beside extensions and bundles to say what is in them and where that comes from: an SBOM, a provenance, and the provenance's signature.</summary>
/// <param name="time">Gives the time at which the build ends.</param>
internal sealed class BuiltAttestor(Signer signer, TimeProvider time)
{
    /// <summary>The names of all that may stand beside something, also when this build doesn't write it.</summary>
    /// <param name="name">What they begin with.</param>
    public static (ImmutableArray<string> Documents, ImmutableArray<string> Signatures) NamesFor(string name) =>
        ([name + Attestor.SbomExtension, name + ImageCheck.Extension], Signer.PlacesFor(name + ImageCheck.Extension));

    /// <summary>Signs something that is thrown away, so that a key that can't is told before anything is fetched.</summary>
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
    public async Task<ImmutableArray<string>> WriteAsync(BuiltThing built, SignSpec sign, DateTimeOffset started, string folder, CancellationToken cancellation)
    {
        var (sbom, provenance) = (Path.Combine(folder, built.Name + Attestor.SbomExtension), Path.Combine(folder, built.Name + ImageCheck.Extension));
        await File.WriteAllTextAsync(sbom, built.Sbom, cancellation);
        var byproduct = Resource.Of(Path.GetFileName(sbom), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(built.Sbom)))) with { MediaType = "application/spdx+json" };
        await File.WriteAllTextAsync(provenance, Provenance(built, started, byproduct).ToJson(), cancellation);
        return sign.IsWanted ? [sbom, provenance, (await signer.SignAsync(sign, provenance, cancellation)).Path] : [sbom, provenance];
    }

    private Statement Provenance(BuiltThing built, DateTimeOffset started, Resource sbom) => new()
    {
        Subject = built.Subject,
        Predicate = new(
            new BuildDefinition
            {
                BuildType = built.BuildType,
                ExternalParameters = built.External,
                InternalParameters = built.Internal,
                ResolvedDependencies = [.. built.Dependencies, ProvenanceWriter.Program()],
            },
            new RunDetails(
                new Builder(ProvenanceWriter.BuilderId, ImmutableSortedDictionary<string, string>.Empty.Add("crust", CrustVersion.Current)),
                new RunMetadata($"urn:uuid:{Guid.NewGuid()}", ProvenanceWriter.Time(started), ProvenanceWriter.Time(time.GetUtcNow())),
                [sbom])),
    };
}
