using System.Collections.Immutable;
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

    private readonly BuiltAttestor _attestor = new(signer, time);

    /// <summary>Signs something that is thrown away, so that a key that can't is told before anything is fetched.</summary>
    /// <exception cref="CrustException">The key can't sign.</exception>
    public Task TryKeyAsync(SignSpec sign, CancellationToken cancellation) => _attestor.TryKeyAsync(sign, cancellation);

    /// <summary>The names of all that may stand beside an extension, also when this build doesn't write it.</summary>
    public static ImmutableArray<string> NamesFor(SysextPlan plan) => BuiltAttestor.NamesFor(BaseOf(plan)) is var (documents, signatures) ? [.. documents, .. signatures] : [];

    /// <summary>Writes the documents.</summary>
    /// <param name="sha256">The extension's SHA-256 in lower-case hex.</param>
    /// <param name="started">When the build began.</param>
    /// <returns>Their paths in the folder.</returns>
    /// <exception cref="CrustException">The key can't sign.</exception>
    /// <exception cref="IOException">Something can't be written.</exception>
    public Task<ImmutableArray<string>> WriteAsync(SysextPlan plan, SysextContent content, string sha256, SignSpec sign, DateTimeOffset started, string folder, CancellationToken cancellation) =>
        _attestor.WriteAsync(new BuiltThing(BaseOf(plan), BuildType, SysextSbom.Write(plan, content, sha256))
        {
            Subject = [Resource.Of(plan.FileName, sha256)],
            External = External(plan),
            Dependencies = content.Parts.SelectMany(Dependencies),
        }, sign, started, folder, cancellation);

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
