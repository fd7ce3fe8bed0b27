using Crust.Seeds.Schemas;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Where a key belongs that stands in another place. Words so common that they say nothing of that aren't looked for.</summary>
internal static class KeyHomes
{
    private const string Step = "a step of a stage (stages: boot: [{…}])";

    private static readonly HashSet<string> Common = ["name", "path", "image", "source", "system", "force", "users", "iso", "if", "node", "after", "git", "layout", "size", "label", "env", "debug",
        "port", "type", "password", "username", "tags", "role"];

    /// <summary>Where a key that stands at the top belongs; null if nobody knows.</summary>
    public static string? OfTop(SeedCheckRequest request, string name)
    {
        if (request.Spec.Seed.Kind is SeedKind.Autoinstall)
            return SchemaLibrary.Autoinstall.Property("autoinstall")?.Property(name) is null ? null : "autoinstall";
        if (!request.MayBeKairos || Common.Contains(name))
            return null;
        var home = Sections().Skip(1).Where(section => IsIn(section.Schema, name)).Select(section => section.Home).FirstOrDefault();
        // cloud-init has some of these at the top.
        return home == Step && SchemaLibrary.CloudConfig.KnownKeys().Contains(name) ? null : home;
    }

    /// <summary>Where an unknown key of a section belongs; null if nobody knows, or there are several such places.</summary>
    public static string? OfNested(string path)
    {
        var end = path.LastIndexOf('.');
        var (section, name) = end < 0 ? ("", path) : (path[..end], path[(end + 1)..]);
        if (section.Length == 0 || Common.Contains(name))
            return null;
        var homes = Sections().Where(home => home.Home != section && !(home.Home == Step && section.StartsWith("stages.", StringComparison.Ordinal)) && IsIn(home.Schema, name)).ToList();
        return homes is [var one] ? one.Home : null;
    }

    /// <summary>Whether a name is a stage's, of those that Kairos runs.</summary>
    public static bool IsStage(string name) => SchemaLibrary.Kairos.Property("stages") is { } stages
        && (stages.Property(name) is not null || stages.HasPatternFor(name));

    private static IEnumerable<(string Home, Schema? Schema)> Sections()
    {
        var (kairos, stylus) = (SchemaLibrary.Kairos, SchemaLibrary.Stylus.Property("stylus"));
        yield return ("", kairos);
        yield return ("install", kairos.Property("install"));
        yield return ("stylus", stylus);
        yield return ("stylus.site", stylus?.Property("site"));
        yield return ("stylus.site.network", stylus?.Property("site")?.Property("network"));
        yield return ("p2p", kairos.Property("p2p"));
        yield return (Step, kairos.Property("stages")?.Part("additionalProperties")?.Part("items"));
    }

    private static bool IsIn(Schema? schema, string name) => schema?.Property(name) is { Obsolete: null };
}
