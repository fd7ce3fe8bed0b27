namespace Crust.Spec;

/// <summary>What must hold of a spec that says how an installer is made, and of one that names such a spec.</summary>
internal static class InstallerRules
{
    private static readonly string[] OfAnIso = ["installer.iso", "installer.sha256", "installer.sha256Signature", "installer.key", "installer.allowUnverified"];

    private static readonly string[] OfMedia = ["medium.", "site."];

    // With dracut's live modules among the packages, it becomes a live medium.
    private const string LivePackage = "dracut-live";

    /// <summary>The seed of an installer from a base lies on its medium.</summary>
    public static SeedSpec Complete(BuildSpec spec) => spec.Origins.ContainsKey("seed.kind") ? spec.Seed : spec.Seed with { Kind = SeedKind.Embedded };

    /// <summary>Checks a spec before the one that it names is read, which may be itself.</summary>
    /// <exception cref="CrustException">It can't name one.</exception>
    public static void CheckBuild(BuildSpec spec)
    {
        var where = spec.WhereIs("installer.build");
        if (spec.IsInstaller)
            throw Bad("A spec of an installer can't name another one", where, "leave installer out: crust installer makes what base says");
        if (OfAnIso.FirstOrDefault(spec.Origins.ContainsKey) is { } key)
            throw Bad($"The installer would come from two places, {key} and installer.build", $"{spec.WhereIs(key)}; {where}", "leave out one of the two");
    }

    /// <exception cref="CrustException">Two keys contradict each other.</exception>
    public static void Check(BuildSpec spec, Func<string, string> whereIs)
    {
        var medium = spec.Origins.Keys.Where(key => OfMedia.Any(section => key.StartsWith(section, StringComparison.Ordinal))).Order(StringComparer.Ordinal).FirstOrDefault();
        if (medium is not null && !spec.IsInstaller)
            throw Bad($"{medium} is about an installer that is made, and this spec is of a build", whereIs(medium),
                "make the installer of this spec: crust installer SPEC; or name this spec in installer.build of another one");
        if (!spec.IsInstaller)
            return;
        if (medium is not null && !spec.HasBase)
            throw Bad($"{medium} is about an installer from a base, and there is none", whereIs(medium),
                "name the system in base.oci, base.rootfs or base.debian; or leave it out, for the reference installer");
        if (spec.HasBase)
            CheckOfBase(spec, whereIs);
    }

    private static void CheckOfBase(BuildSpec spec, Func<string, string> whereIs)
    {
        if (!spec.Base.IsRoot)
            throw Bad("An installer is made from a root file system, and base.image is a disk image", whereIs("base.image"),
                "name the system in base.oci, base.rootfs or base.debian; to write a disk image, crust build makes the format iso");
        if (spec.Seed.Kind is not (SeedKind.Embedded or SeedKind.None))
            throw Bad($"The seed of an installer from a base lies on its medium, and seed.kind is {spec.Seed.Kind.LowerName()}", whereIs("seed.kind"),
                "leave seed.kind out");
        if (spec.Seed.Profile is SeedProfile.Elemental || (spec.Seed.Profile is SeedProfile.Debian && spec.Base.Debian.Suite is null))
            throw Bad($"An installer from a base is of the family of Kairos, and seed.profile is {spec.Seed.Profile.Value.LowerName()}", whereIs("seed.profile"),
                "set it to kairos or stylus, or leave it out");
        if (spec.Layers.OfType<LayerSpec.Sysext>().FirstOrDefault(layer => layer.Profile is not ("any" or "debian")) is { } layer)
            throw Bad($"An extension of the profile {layer.Profile} goes to a volume of the installed disk, which an installer doesn't have yet", layer.Where,
                "put the extension into medium.overlay and have the user-data copy it, or add the layer to the build that installs this installer");
    }

    /// <summary>Whether an installer is made of Debian packages as the reference installer is, and is no live medium.</summary>
    public static bool IsOfDebian(BuildSpec spec) => spec.Base.Debian is { Suite: not null } debian && !debian.Packages.Contains(LivePackage);

    private static CrustException Bad(string what, string where, string remedy) => new(FailureKind.BadInput, what, where, remedy);
}
