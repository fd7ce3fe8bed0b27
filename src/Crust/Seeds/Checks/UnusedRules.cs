using Crust.Seeds.Documents;
using Crust.Seeds.Kinds;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Whether all that the spec says of a seed reaches the installer.</summary>
internal static class UnusedRules
{
    public static readonly SeedRule Unused = new("unused-setting", SeedSeverity.Warning, "A setting of the spec that an installer of this kind doesn't get",
        "seed: {kind: kickstart, palette: {endpoint: api.example.org}}", "leave it out, or say it in the installer's own file");

    public static readonly SeedRule NoPlace = new("no-place", SeedSeverity.Error, "`seed.kind` is embedded, and nobody knows where this ISO's installer reads a configuration on its medium",
        "seed: {kind: embedded, userData: x.yaml} with an ISO of Debian", EmbeddedSeed.Remedy);

    public static readonly SeedRule Reference = new("reference-kind", SeedSeverity.Error, "`seed.kind` isn't nocloud, and that is all that the reference installer reads",
        "seed: {kind: kickstart} without installer.iso",
        "set seed.kind to nocloud, or name the installer's ISO (installer.iso, ISO_URL)");

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        var (spec, kind) = (request.Spec, request.Spec.Seed.Kind);
        if (spec.IsReference && kind is not SeedKind.Nocloud)
        {
            yield return Reference.At(GeneratedConfig.At(spec, "seed.kind"), $"The reference installer reads a NoCloud volume alone, and seed.kind is {kind.LowerName()}");
            yield break;
        }

        if (spec.Seed.Palette != new PaletteSpec() && kind is not (SeedKind.Nocloud or SeedKind.Embedded))
            yield return NotTold("seed.palette", "Palette's settings stand in a cloud-config", spec, "leave them out, or set seed.kind to nocloud or embedded");
        if (spec.Seed.Hostname is not null && kind is SeedKind.Ignition or SeedKind.None)
            yield return NotTold("seed.hostname", "the host name stands in a file of the user's", spec, "write it to /etc/hostname in your own configuration");
        if (spec.Seed.Ssh.User is not null && kind is SeedKind.Ignition or SeedKind.None)
            yield return NotTold("seed.ssh", "accounts stand in a file of the user's", spec, "write them in your own configuration (passwd.users)");
        if (kind is SeedKind.Embedded && EmbeddedSeed.HasConfig(spec.Seed) && EmbeddedSeed.PlaceOf(request.Profile) is null && IsKnown(request))
            yield return NoPlace.At(Place.Of(spec.Installer.Shown), EmbeddedSeed.WhatIsUnknown(request.Profile));
    }

    // An ISO that isn't downloaded yet may still say what it is.
    private static bool IsKnown(SeedCheckRequest request) =>
        request.Profile is not null || request.Spec.Installer.Iso is not { } iso || !iso.Contains("://", StringComparison.Ordinal);

    private static SeedFinding NotTold(string section, string why, BuildSpec spec, string remedy)
    {
        var key = spec.Origins.Keys.Order(StringComparer.Ordinal).FirstOrDefault(key => key.StartsWith(section, StringComparison.Ordinal)) ?? section;
        return Unused.At(GeneratedConfig.At(spec, key), $"{section} doesn't reach the installer: with seed.kind {spec.Seed.Kind.LowerName()}, {why}", remedy);
    }
}
