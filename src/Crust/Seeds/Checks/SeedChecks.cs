using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>What the rules look at.</summary>
/// <param name="Spec">The build spec.</param>
/// <param name="Files">The files that it names.</param>
/// <param name="Profile">The family of systems; null if nobody knows.</param>
/// <param name="Contents">What the installer would be told. Its fresh parts aren't those of the build.</param>
internal sealed record SeedCheckRequest(BuildSpec Spec, SeedFiles Files, SeedProfile? Profile, SeedContents Contents);

/// <summary>Looks for what is wrong with a seed, before anything is fetched or booted.</summary>
public static class SeedChecks
{
    private static readonly ImmutableArray<Func<SeedCheckRequest, IEnumerable<SeedFinding>>> Rules = [EndingRules.Check, LoginRules.Check];

    /// <summary>All findings, errors before warnings, in the order of the files.</summary>
    /// <exception cref="CrustException">A file isn't what the seed's kind takes.</exception>
    public static ImmutableArray<SeedFinding> Check(BuildSpec spec, SeedFiles files, SeedProfile? profile)
    {
        var contents = Kinds.SeedKinds.Of(spec.Seed.Kind).Compose(new SeedRequest(WithoutPassword(spec), files, profile, "", Guid.Empty));
        var request = new SeedCheckRequest(spec, files, profile, contents);
        return
        [
            .. Rules.SelectMany(rule => rule(request))
                .Where(finding => !spec.Seed.Ignore.Contains(finding.Rule))
                .Distinct()
                .OrderByDescending(finding => finding.Severity),
        ];
    }

    // To hash it takes a library of the host's and time, and no rule looks at the hash.
    private static BuildSpec WithoutPassword(BuildSpec spec) => spec.Seed.Ssh.Password is null
        ? spec
        : spec with { Seed = spec.Seed with { Ssh = spec.Seed.Ssh with { Password = null, PasswordHash = new Secret("*") } } };
}
