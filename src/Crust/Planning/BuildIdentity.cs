using Crust.Installers;
using Crust.Seeds;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Planning;

/// <summary>Which build a spec is, told without fetching, building, booting or writing anything.</summary>
/// <param name="Name">The images' base name.</param>
/// <param name="Key">The build key; null if it can't be known yet.</param>
/// <param name="Unknown">Why it can't, as a sentence without a full stop; null if it can.</param>
public sealed record BuildIdentity(string Name, string? Key, string? Unknown)
{
    /// <summary>Its keys; null if they can't be known yet.</summary>
    public BuildKeys? Keys { get; private init; }

    /// <summary>Which build a spec is.</summary>
    /// <param name="spec">The spec.</param>
    /// <param name="files">The files that it names.</param>
    /// <param name="glance">What is known of its installer.</param>
    /// <param name="local">This machine's secret key, where it counts what is here; null if it has none, or it doesn't count.</param>
    /// <exception cref="CrustException">It can't be built anywhere: its files are missing or wrong, or its installer doesn't fit its machine.</exception>
    public static BuildIdentity Of(BuildSpec spec, SeedFiles files, InstallerGlance glance, byte[]? local = null)
    {
        BuildRules.CheckFormats(spec);
        var name = spec.Name ?? glance.BaseName;
        if (glance.Iso is { } iso)
        {
            BuildRules.CheckInstaller(iso, spec);
            return Known(name, () => BuildKey.For(iso.Sha256, iso.IsReference, SeedComposer.KeyMaterial(spec, files, iso), spec, () => local));
        }

        if (spec.Installer.Iso is null)
        {
            return new BuildIdentity(name, null, "the reference installer isn't built here; crust installer builds it");
        }

        // An ISO that isn't here is known by its checksum; what it would say of itself has to be said by the spec.
        return glance.Promised is not { } sha256 ? new BuildIdentity(name, null, "its installer's checksum isn't known here; give its SHA-256 in installer.sha256, or download it: crust build")
            : spec.Seed.Profile is not { } profile || spec.Seed.Kind is SeedKind.Embedded ? new BuildIdentity(name, null, "its installer isn't here to say which family of systems it installs; name it in seed.profile")
            : Known(name, () => BuildKey.For(sha256, isReference: false, SeedComposer.KeyMaterial(spec, files, profile, sha256), spec, () => local));
    }

    private static BuildIdentity Known(string name, Func<BuildKeys> of)
    {
        try
        {
            var keys = of();
            return new BuildIdentity(name, keys.Published, null) { Keys = keys };
        }
        catch (CrustException e) when (e.Kind is FailureKind.HostLacks)
        {
            // A library to hash a password with: the host's checks tell of it.
            return new BuildIdentity(name, null, e.What);
        }
    }
}
