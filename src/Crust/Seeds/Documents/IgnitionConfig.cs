using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Crust.Seeds.Documents;

/// <summary>Ignition's JSON ("Configuration Specification v3", and what Flatcar still reads of the older ones).</summary>
internal sealed partial class IgnitionConfig
{
    /// <summary>Versions of the configuration 3.x that are out; newer ones may have more keys.</summary>
    public const int NewestMinor = 6;

    // .NET's own bound, said here so that it can be told.
    private const int MostDepth = 64;

    private IgnitionConfig()
    {
    }

    public required ConfigMap Root { get; init; }

    public required Place VersionPlace { get; init; }

    /// <summary>Its version as it is written.</summary>
    public required string Version { get; init; }

    /// <summary>3, or 2 or 1, which Flatcar alone reads.</summary>
    public required int Major { get; init; }

    /// <summary>The version's second number.</summary>
    public required int Minor { get; init; }

    /// <summary>Whether it may have keys that aren't known here.</summary>
    public bool MayBeNewer => Major == 3 && (Minor > NewestMinor || Version.Contains('-', StringComparison.Ordinal));

    /// <param name="file">What the user calls it, for messages.</param>
    /// <exception cref="CrustException">It isn't JSON, or not Ignition's of a version that something reads.</exception>
    public static IgnitionConfig Read(string text, string file)
    {
        if (!text.TrimStart().StartsWith('{'))
            RefuseYaml(text, file);

        ConfigNode tree;
        try
        {
            tree = JsonTree.Read(text, file, MostDepth, (name, place) => Bad($"The key '{name}' stands twice", place, "keep one of the two"));
        }
        catch (JsonException e)
        {
            var (line, column) = ((int)(e.LineNumber ?? 0) + 1, (int)(e.BytePositionInLine ?? 0) + 1);
            var place = new Place(file, line, column);
            throw e.Message.Contains("maximum configured depth", StringComparison.Ordinal)
                ? Bad($"Lists and objects are nested more than {MostDepth} deep", place, "write it flatter: Ignition's own keys are at most 6 deep", e)
                : Bad($"This isn't JSON: {Reason(e.Message)}", place, "mend it; what Butane writes (butane --strict) is JSON", e);
        }
        catch (InvalidOperationException e)
        {
            // Half of a surrogate pair, by its escape: "\ud800".
            throw Bad("This isn't JSON: a text in it isn't Unicode", new Place(file, 1, 1), "mend it; what Butane writes (butane --strict) is JSON", e);
        }

        return tree is ConfigMap root ? OfVersion(root, file)
            : throw Bad("This isn't Ignition's configuration: it isn't an object", new Place(file, 1, 1), "write { \"ignition\": { \"version\": \"3.4.0\" } }");
    }

    private static IgnitionConfig OfVersion(ConfigMap root, string file)
    {
        // Version 1 said so at the top.
        if (ConfigTree.Find(root, "ignitionVersion") is ConfigScalar { Value: "1" } first)
            return new IgnitionConfig { Root = root, VersionPlace = first.Place, Version = "1", Major = 1, Minor = 0 };

        var place = root.Entries.FirstOrDefault(entry => entry.Name == "ignition")?.Key.Place ?? new Place(file, 1, 1);
        if (ConfigTree.Find(root, "ignition", "version") is not ConfigScalar { IsQuoted: true } version)
            throw Bad("This isn't Ignition's configuration: it has no ignition.version", place, "write { \"ignition\": { \"version\": \"3.4.0\" } }, or translate Butane's YAML: butane --strict");

        var match = SemanticVersion().Match(version.Value);
        var (major, minor) = match.Success ? (Number(match, "major"), Number(match, "minor")) : (0, 0);
        var isKnown = major switch
        {
            3 => minor > NewestMinor || match.Groups["patch"].Value == "0",
            2 => minor <= 5,
            _ => false,
        };
        return isKnown ? new IgnitionConfig { Root = root, VersionPlace = place, Version = version.Value, Major = major, Minor = minor }
            : throw Bad($"Ignition has no version '{version.Value}' of its configuration", place, $"write one from 3.0.0 to 3.{NewestMinor}.0; ign-converter makes 3.x of older ones");
    }

    // What people take for Ignition's: Butane's YAML, its forerunner's, a cloud-config.
    private static void RefuseYaml(string text, string file)
    {
        Place At(Match match) => new(file, text.AsSpan(0, match.Index).Count('\n') + 1, 1);
        if (ButaneHeader().Match(text) is { Success: true } header)
            throw Bad($"This is Butane's YAML (variant: {header.Groups["variant"].Value}), and Ignition reads JSON", At(header), $"translate it: butane --strict {file} > config.ign");
        if (CloudConfig.IsMarked(text))
            throw Bad("This is a cloud-config, and Ignition reads JSON", new Place(file, 1, 1), "set seed.kind to nocloud, or write Ignition's configuration");
        if (ContainerLinuxConfig().Match(text) is { Success: true } old)
            throw Bad("This looks like a Container Linux Config (YAML), and Ignition reads JSON", At(old),
                $"write it for Butane (variant: flatcar, version: 1.1.0), and translate it: butane --strict {file} > config.ign");
    }

    private static int Number(Match match, string group) => int.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    // .NET ends it with where, which is said already.
    private static string Reason(string message) => message.Split(" LineNumber:")[0].TrimEnd('.') is { Length: > 0 } reason ? char.ToLowerInvariant(reason[0]) + reason[1..] : "it ends too early";

    private static CrustException Bad(string what, Place place, string remedy, Exception? inner = null) => new(FailureKind.BadInput, what, $"{place}", remedy, inner) { Rule = "ignition" };

    [GeneratedRegex(@"^variant:[ \t]*[""']?(?<variant>[a-z0-9-]+)", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex ButaneHeader();

    [GeneratedRegex(@"^(ignition|passwd|storage|systemd|networkd|etcd|flannel|docker|update|locksmith):", RegexOptions.Multiline | RegexOptions.ExplicitCapture)]
    private static partial Regex ContainerLinuxConfig();

    // Semantic Versioning 2.0.0.
    [GeneratedRegex(@"\A(?<major>0|[1-9][0-9]{0,3})\.(?<minor>0|[1-9][0-9]{0,3})\.(?<patch>0|[1-9][0-9]{0,3})(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex SemanticVersion();
}
