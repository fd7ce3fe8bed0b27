using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Whether every key is one that a reader of the document knows, and has a value that it takes.</summary>
internal static class SchemaRules
{
    public static readonly SeedRule UnknownKey = new("unknown-key", SeedSeverity.Error, "A key that no reader knows, below a key that has only known ones, or near to a known one",
        "install: {devcie: auto}", "write the key that is meant; the message names the nearest one")
    { WarnsOnly = "at the document's top, and where readers take keys of others, if no known key is near" };

    public static readonly SeedRule MisplacedKey = new("misplaced-key", SeedSeverity.Error, "A key that belongs somewhere else", "poweroff: true (at the top)", "move it to where the message says");

    public static readonly SeedRule UnreadKey = new("unread-key", SeedSeverity.Warning, "A key at the document's top that another family of systems reads, and this one (`seed.profile`) doesn't",
        "packages: [vim] (for Kairos)", "leave it out, or set seed.profile to the family that is meant");

    public static readonly SeedRule WrongType = new("wrong-type", SeedSeverity.Error, "A value of another kind than its reader takes: a text, a number, true or false, a list, a mapping",
        "runcmd: reboot", "write it as the message says; `yes`, `0644` and `2030-01-01` are text only in quotes");

    public static readonly SeedRule WrongValue = new("wrong-value", SeedSeverity.Error, "A value of the right kind that its reader doesn't take", "updates: everything", "write one that it takes");

    public static readonly SeedRule MissingKey = new("missing-key", SeedSeverity.Error, "A key without which its reader does nothing, or fails", "users: [{gecos: Edge}]", "add the key");

    public static readonly SeedRule Deprecated = new("deprecated-key", SeedSeverity.Warning, "A key, or a form of its value, that cloud-init or stylus is about to drop", "ssh-authorized-keys: […]", "write the new form");

    // What people put at the top although it belongs into another file, or needs another kind of seed.
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["network"] = "put it into a file of its own, and name that in seed.networkConfig: cloud-init reads no network from user-data",
        ["ethernets"] = "put it into a file of its own, and name that in seed.networkConfig",
    };

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
        request.CloudConfig is { } document ? [.. CheckDocument(request, document), .. CheckInsideAutoinstall(request), .. CheckNetwork(request), .. CheckReference(request, document)] : [];

    /// <summary>The finding that a violation makes.</summary>
    public static SeedFinding ToFinding(Violation violation)
    {
        var rule = violation.Fault switch
        {
            Fault.UnknownKey => UnknownKey,
            Fault.WrongType => WrongType,
            Fault.WrongValue => WrongValue,
            Fault.MissingKey => MissingKey,
            _ => Deprecated,
        };
        return violation.IsWarning ? rule.Warn(violation.Place, violation.What, violation.Remedy) : rule.At(violation.Place, violation.What, violation.Remedy);
    }

    private static IEnumerable<SeedFinding> CheckDocument(SeedCheckRequest request, ConfigMap document)
    {
        var readers = ReadersOf(request).Select(schema => new Reader(schema)).ToList();
        foreach (var entry in document.Entries)
        {
            var name = entry.Name ?? "?";
            var knowing = readers.Where(reader => reader.Keys.Contains(name)).ToList();
            // What Crust itself puts in is for several readers at once, and not the user's to mend.
            var findings = knowing.Count > 0 ? knowing.Select(reader => reader.Check(document.With([entry]))).MinBy(Weight).Select(ToFinding)
                : entry.Key.Place.Line > 0 && UnknownAtTop(request, name, entry.Key, readers) is { } unknown ? [unknown]
                : Enumerable.Empty<SeedFinding>();
            foreach (var finding in findings.Where(finding => finding.Place != Place.Default))
                yield return finding;
        }
    }

    private static SeedFinding? UnknownAtTop(SeedCheckRequest request, string name, ConfigNode key, List<Reader> readers)
    {
        if (key is ConfigScalar { IsSecret: true })
            return UnknownKey.Warn(key.Place, "There is a key, taken from the environment, that Crust doesn't know");
        if (Elsewhere.GetValueOrDefault(name) is { } remedy)
            return MisplacedKey.At(key, $"'{name}' isn't read here", remedy);
        if (name == "autoinstall")
            return MisplacedKey.At(key, "There is an 'autoinstall', and seed.kind is nocloud", "set seed.kind to autoinstall");
        if (HomeOf(request, name) is { } home)
            return MisplacedKey.At(key, $"There is no key '{name}' at the top", $"put it under '{home}'");
        if (Everything.Any(schema => new Reader(schema).Keys.Contains(name)))
            return UnreadKey.At(key, $"'{name}' isn't read by {ReaderName(request)}");

        if (CloudInitSchema.NewerKeys.Contains(name))
            return UnknownKey.Warn(key.Place, $"'{name}' is a key of newer versions of cloud-init only", "leave it out if the system's is older");
        var known = readers.SelectMany(reader => reader.Keys).Distinct().ToList();
        if (Nearest.Find(name, known) is { } near)
            return UnknownKey.At(key, $"There is no key '{name}'", $"did you mean '{near}'?");
        // A bundle reads keys of its own.
        return HasBundles(request) ? null
            : UnknownKey.Warn(key.Place, $"There is no key '{name}' that Crust knows of", "leave it out if nothing reads it, else add unknown-key to seed.ignore");
    }

    private static bool HasBundles(SeedCheckRequest request) =>
        request.MayBeKairos && (ConfigTree.Find(request.CloudConfig, "bundles") ?? ConfigTree.Find(request.CloudConfig, "install", "bundles")) is not null;

    // Words so common that they say nothing of where they belong aren't looked for.
    private static string? HomeOf(SeedCheckRequest request, string name)
    {
        if (request.Spec.Seed.Kind is SeedKind.Autoinstall)
            return SchemaLibrary.Autoinstall.Property("autoinstall")?.Property(name) is null ? null : "autoinstall";
        if (!request.MayBeKairos || name is "name" or "path" or "image" or "source" or "system" or "force" or "users")
            return null;
        return SchemaLibrary.Kairos.Property("install")?.Property(name) is not null ? "install"
            : SchemaLibrary.Stylus.Property("stylus")?.Property(name) is not null ? "stylus"
            : SchemaLibrary.Stylus.Property("stylus")?.Property("site")?.Property(name) is not null ? "stylus.site"
            : null;
    }

    // The reference system's cloud-init is older than the schema.
    private static IEnumerable<SeedFinding> CheckReference(SeedCheckRequest request, ConfigMap document) => request.Spec is { Installer.Iso: null, Seed.Kind: SeedKind.Nocloud }
        ? CloudInitSchema.NewerThanReference(document.With([.. document.Entries.Where(entry => entry.Key.Place.Line > 0)])).Select(ToFinding)
        : [];

    // autoinstall.user-data is a cloud-config for the installed system, and autoinstall.network a netplan.
    private static IEnumerable<SeedFinding> CheckInsideAutoinstall(SeedCheckRequest request) =>
    [
        .. ConfigTree.Find(request.Autoinstall, "user-data") is ConfigMap userData ? CloudInitSchema.Run(userData, "autoinstall.user-data").Select(ToFinding) : [],
        .. ConfigTree.Find(request.Autoinstall, "network") is ConfigMap network ? CheckNetplan(network, "autoinstall.network") : [],
    ];

    private static IEnumerable<SeedFinding> CheckNetwork(SeedCheckRequest request)
    {
        if (request.Spec.Seed.NetworkConfig is not { } path || request.Files.NetworkConfig is not { } text || ConfigReader.Read(text, path) is not ConfigMap document)
            return [];

        var version = ConfigTree.Find(document, "version") ?? ConfigTree.Find(document, "network", "version");
        return version is ConfigScalar { IsQuoted: false, Value: "1" } ? SchemaCheck.Run(SchemaLibrary.NetworkConfig, document).Select(ToFinding) : CheckNetplan(document, "");
    }

    // It may stand below a key of its own.
    private static IEnumerable<SeedFinding> CheckNetplan(ConfigMap document, string path) => ConfigTree.Find(document, "network") is ConfigMap network
        ? SchemaCheck.Run(SchemaLibrary.Netplan, network, ConfigTree.Join(path, "network").TrimStart('.')).Select(ToFinding)
        : SchemaCheck.Run(SchemaLibrary.Netplan, document, path).Select(ToFinding);

    // Errors count more than warnings.
    private static int Weight(ImmutableArray<Violation> violations) => violations.Sum(violation => violation.IsWarning ? 1 : 1000 + violation.Distance);

    private static IEnumerable<Schema> ReadersOf(SeedCheckRequest request) => (request.Spec.Seed.Kind, request.Profile) switch
    {
        (SeedKind.Autoinstall, _) => [SchemaLibrary.Autoinstall, SchemaLibrary.CloudConfig],
        (_, SeedProfile.Kairos) => [SchemaLibrary.Kairos],
        (_, SeedProfile.Stylus) => [SchemaLibrary.Kairos, SchemaLibrary.Stylus],
        (_, SeedProfile.Elemental) => [SchemaLibrary.Kairos, SchemaLibrary.Elemental],
        (_, SeedProfile.Debian) => [SchemaLibrary.CloudConfig, SchemaLibrary.Reference],
        _ => Everything,
    };

    private static IEnumerable<Schema> Everything => [SchemaLibrary.Kairos, SchemaLibrary.Stylus, SchemaLibrary.CloudConfig, SchemaLibrary.Elemental];

    private static string ReaderName(SeedCheckRequest request) => (request.Spec.Seed.Kind, request.Profile) switch
    {
        (SeedKind.Autoinstall, _) => "Ubuntu's installer or cloud-init",
        (_, SeedProfile.Debian) => "cloud-init",
        (_, SeedProfile.Stylus) => "stylus or Kairos",
        (_, SeedProfile.Elemental) => "Elemental",
        _ => "Kairos",
    };

    private sealed record Reader(Schema Schema)
    {
        private readonly bool _isCloudInit = Schema.Equals(SchemaLibrary.CloudConfig);

        public ImmutableArray<Violation> Check(ConfigMap document) => _isCloudInit ? CloudInitSchema.Run(document) : SchemaCheck.Run(Schema, document);

        public HashSet<string> Keys { get; } = [.. Schema.KnownKeys().Where(key => key != "autoinstall" || Schema.Property(key)?.Property("version") is not null)];
    }
}
