using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

/// <summary>What keeps a file from being read at all: reading ends at the first of these, and so do the checks.</summary>
internal static class DocumentRules
{
    public static readonly SeedRule Yaml = new("yaml", SeedSeverity.Error, "A file that isn't one YAML document", "hostname: [edge", "mend the line that is named, or the one before it");

    public static readonly SeedRule Tab = new("tab", SeedSeverity.Error, "A tab that indents a line, which YAML doesn't allow", "a tab before poweroff: true", "indent with spaces");

    public static readonly SeedRule DuplicateKey = new("duplicate-key", SeedSeverity.Error, "A key that stands twice in one mapping", "hostname: a, and further down hostname: b",
        "keep one of the two");

    public static readonly SeedRule Header = new("header", SeedSeverity.Error,
        "A user-data that doesn't begin with `#cloud-config`, `#kairos-config` or `#node-config`, or begins with what cloud-init takes and can't be merged: "
        + "a script, a list of URLs, a template, an archive", "# cloud-config", "make #cloud-config its first line")
    {
        WarnsOnly = "for a script, a list of URLs, a template or an archive that goes as it is to an unknown system; none for cloud-init (`seed.profile: debian`), "
            + "which gets an archive where something is to be added",
    };

    public static readonly SeedRule NotAMapping = new("not-a-mapping", SeedSeverity.Error, "A file that holds a list or a text where keys and values belong", "- hostname: edge",
        "write keys and values");

    public static readonly SeedRule Kickstart = new("kickstart", SeedSeverity.Error, "A kickstart file that isn't one, or has a quote that isn't closed", "rootpw \"secret",
        "mend the line that is named");

    public static readonly SeedRule Ignition = new("ignition", SeedSeverity.Error,
        "A file that isn't JSON for Ignition: Butane's YAML, a Container Linux Config, a version that isn't there, a key twice", "variant: flatcar",
        "translate it with `butane --strict`, or mend the line that is named");

    public static readonly SeedRule Variable = new("undefined-variable", SeedSeverity.Error, "`${NAME}` in a file with `seed.substitute`, and no such environment variable", "hostname: ${SITE}",
        "set it, or write $${NAME} where the text itself is meant");

    /// <summary>The finding that an error of reading a file is; null for an error that isn't the file's.</summary>
    public static SeedFinding? FindingOf(CrustException error)
    {
        if (error.Kind is not FailureKind.BadInput)
            return null;
        return new SeedFinding(SeedSeverity.Error, error.Rule ?? "spec", error.What, Place.Parse(error.Where), error.Remedy);
    }
}
