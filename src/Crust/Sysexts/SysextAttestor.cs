using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Sysexts;

/// <summary>Writes what goes beside an extension to say what is in it and where that comes from: an SBOM, a provenance, and the provenance's signature.</summary>
/// <param name="time">Gives the time at which the build ends.</param>
internal sealed class SysextAttestor(Signer signer, TimeProvider time)
{
    /// <summary>Names the meaning of the parameters; docs/provenance.md tells it. Changes when that does.</summary>
    public const string BuildType = "urn:crust:sysext:1";

    /// <summary>Signs something that is thrown away, so that a key that can't is told before anything is fetched.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    public async Task TryKeyAsync(SignSpec sign, CancellationToken cancellation)
    {
        if (sign.IsWanted)
        {
            await signer.TryAsync(sign, cancellation);
        }
    }

    /// <summary>The names of all that may stand beside an extension, also when this build doesn't write it.</summary>
    public static ImmutableArray<string> NamesFor(SysextPlan plan) => [BaseOf(plan) + Attestor.SbomExtension, BaseOf(plan) + ImageCheck.Extension, .. Signer.PlacesFor(BaseOf(plan) + ImageCheck.Extension)];

    /// <summary>Writes the documents.</summary>
    /// <param name="sha256">The extension's SHA-256 in lower-case hex.</param>
    /// <param name="started">When the build began.</param>
    /// <returns>Their paths in the folder.</returns>
    /// <exception cref="CrustException">The key can't sign.</exception>
    /// <exception cref="IOException">Something can't be written.</exception>
    public async Task<ImmutableArray<string>> WriteAsync(SysextPlan plan, SysextContent content, string sha256, SignSpec sign, DateTimeOffset started, string folder, CancellationToken cancellation)
    {
        var (sbom, provenance) = (Path.Combine(folder, BaseOf(plan) + Attestor.SbomExtension), Path.Combine(folder, BaseOf(plan) + ImageCheck.Extension));
        var list = SysextSbom.Write(plan, content, sha256);
        await File.WriteAllTextAsync(sbom, list, cancellation);
        var byproduct = Resource.Of(Path.GetFileName(sbom), Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(list)))) with { MediaType = "application/spdx+json" };
        await File.WriteAllTextAsync(provenance, Provenance(plan, content, sha256, started, byproduct).ToJson(), cancellation);
        return sign.IsWanted ? [sbom, provenance, (await signer.SignAsync(sign, provenance, cancellation)).Path] : [sbom, provenance];
    }

    private Statement Provenance(SysextPlan plan, SysextContent content, string sha256, DateTimeOffset started, Resource sbom) => new()
    {
        Subject = [Resource.Of(plan.FileName, sha256)],
        Predicate = new(
            new BuildDefinition
            {
                BuildType = BuildType,
                ExternalParameters = External(plan),
                InternalParameters = [],
                ResolvedDependencies = [.. content.Parts.SelectMany(Dependencies), ProvenanceWriter.Program()],
            },
            new RunDetails(
                new Builder(ProvenanceWriter.BuilderId, ImmutableSortedDictionary<string, string>.Empty.Add("crust", CrustVersion.Current)),
                new RunMetadata($"urn:uuid:{Guid.NewGuid()}", ProvenanceWriter.Time(started), ProvenanceWriter.Time(time.GetUtcNow())),
                [sbom])),
    };

    private static JsonObject External(SysextPlan plan)
    {
        var parameters = new JsonObject
        {
            ["name"] = plan.Name,
            ["os"] = plan.OsId,
            ["arch"] = plan.Arch.LowerName(),
            ["profile"] = plan.Profile.LowerName(),
            ["format"] = plan.Format.LowerName(),
            ["reload"] = plan.Reload,
            ["epoch"] = plan.Epoch,
        };
        foreach (var (key, value) in new[] { ("version", plan.Version), ("level", plan.Level), ("osVersion", plan.OsVersion) }.Where(parameter => parameter.Item2 is not null))
        {
            parameters[key] = value;
        }

        return parameters;
    }

    private static IEnumerable<Resource> Dependencies(SysextPart part) => part.Files.Select(file => Resource.Of(CleanText.Line(file.Name), file.Sha256) with
    {
        Uri = file.Url ?? part.PackageUrl,
        Annotations = ImmutableSortedDictionary<string, string>.Empty.Add("part", CleanText.Line($"{part.Name} {part.Version}").Trim()),
    });

    private static string BaseOf(SysextPlan plan) => plan.FileName[..^".raw".Length];
}
