using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Looks for what is wrong with a seed, before anything is fetched or booted.</summary>
internal static class SeedChecks
{
    private static readonly ImmutableArray<Func<SeedCheckRequest, IEnumerable<SeedFinding>>> Rules =
    [
        SchemaRules.Check,
        CharacterRules.Check,
        EndingRules.Check,
        DeviceRules.Check,
        DiskSizeRules.Check,
        PaletteRules.Check,
        LoginRules.Check,
        KairosRules.Check,
        PasswordRules.Check,
        KeyRules.Check,
        NameRules.Check,
        WriteFilesRules.Check,
        FileModeRules.Check,
        AutoinstallRules.Check,
        SizeRules.Check,
        PythonYamlRules.Check,
        KickstartRules.Check,
        KickstartLanguageRules.Check,
        PreseedRules.Check,
        IgnitionRules.Check,
        UnusedRules.Check,
        SpecFileRules.Check,
    ];

    /// <summary>All findings, errors before warnings, in the order of the files and of their lines.</summary>
    /// <exception cref="CrustException">A file isn't what the seed's kind takes.</exception>
    public static ImmutableArray<SeedFinding> Check(BuildSpec spec, SeedFiles files, SeedProfile? profile)
    {
        var contents = Kinds.SeedKinds.Compose(new SeedRequest(WithoutPassword(spec), files, profile, "", Guid.Empty));
        var request = new SeedCheckRequest(spec, files, profile, contents);
        return
        [
            .. Rules.SelectMany(rule => rule(request))
                .Where(finding => !spec.Seed.Ignore.Contains(finding.Rule))
                .Distinct()
                .OrderByDescending(finding => finding.Severity)
                .ThenBy(finding => spec.Seed.UserData.IndexOf(finding.Place.Source))
                .ThenBy(finding => (finding.Place.Line, finding.Place.Column)),
        ];
    }

    // To hash it takes a library of the host's and time, and no rule looks at the hash.
    private static BuildSpec WithoutPassword(BuildSpec spec) => spec.Seed.Ssh.Password is null
        ? spec
        : spec with { Seed = spec.Seed with { Ssh = spec.Seed.Ssh with { Password = null, PasswordHash = new Secret("*") } } };
}
