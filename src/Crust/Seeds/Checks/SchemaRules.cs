using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Whether every key is one that a reader of the document knows, and has a value that it takes.</summary>
internal static class SchemaRules
{
    public static readonly SeedRule UnknownKey = new("unknown-key", SeedSeverity.Error, "A key that no reader knows, and that is near to a known one, or below a key that has only known ones",
        "install: {devcie: auto}", "write the key that is meant; the message names the nearest one")
    { WarnsOnly = "at the document's top, and where a newer reader may know it, if it isn't a known key with a letter or two wrong; all of this section for an ISO that nobody knows" };

    public static readonly SeedRule MisplacedKey = new("misplaced-key", SeedSeverity.Error, "A key that belongs somewhere else", "poweroff: true (at the top)", "move it to where the message says");

    public static readonly SeedRule UnreadKey = new("unread-key", SeedSeverity.Warning, "A key at the document's top that another family of systems reads, and this one (`seed.profile`) doesn't",
        "packages: [vim] (for Kairos)", "leave it out, or set seed.profile to the family that is meant");

    public static readonly SeedRule WrongType = new("wrong-type", SeedSeverity.Error, "A value of another kind than its reader takes: a text, a number, true or false, a list, a mapping",
        "runcmd: reboot", "write it as the message says; `yes`, `0644` and `2030-01-01` are text only in quotes");

    public static readonly SeedRule WrongValue = new("wrong-value", SeedSeverity.Error, "A value of the right kind that its reader doesn't take", "updates: everything", "write one that it takes");

    public static readonly SeedRule MissingKey = new("missing-key", SeedSeverity.Error, "A key without which its reader does nothing, or fails", "users: [{gecos: Edge}]", "add the key");

    public static readonly SeedRule Deprecated = new("deprecated-key", SeedSeverity.Warning, "A key, or a form of its value, that cloud-init or stylus is about to drop", "ssh-authorized-keys: […]",
        "write the new form");

    public static readonly SeedRule Obsolete = new("obsolete-key", SeedSeverity.Warning, "A key that older versions of its reader read, and nothing reads any more",
        "install: {image: …} (for Kairos)", "write what the message says");

    public static readonly SeedRule Rewritten = new("rewritten-value", SeedSeverity.Warning,
        "Text without quotes that Kairos takes for a number or a date, and writes back in another form before it is read: 1.10 becomes 1.1",
        "kubevip: {version: 1.10}", "put it in quotes");

    // What people put at the top although it belongs into another file, or needs another kind of seed.
    private static readonly Dictionary<string, string> Elsewhere = new()
    {
        ["network"] = "put it into a file of its own, and name that in seed.networkConfig: cloud-init reads no network from user-data",
        ["ethernets"] = "put it into a file of its own, and name that in seed.networkConfig",
    };

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) => request.CloudConfig is { } document
        ? [.. CheckDocument(request, document).Select(finding => request.IsUnknown ? finding with { Severity = SeedSeverity.Warning } : finding), .. CheckInsideAutoinstall(request),
            .. CheckNetwork(request), .. CheckReference(request, document)]
        : [];

    public static SeedFinding ToFinding(Violation violation)
    {
        var rule = violation.Fault switch
        {
            Fault.UnknownKey => UnknownKey,
            Fault.WrongType => WrongType,
            Fault.WrongValue => WrongValue,
            Fault.MissingKey => MissingKey,
            Fault.Obsolete => Obsolete,
            // A mode that comes back changed is a wrong one.
            Fault.Rewritten => violation.IsWarning ? Rewritten : WrongType,
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
            // Elemental takes nearly anything in these, and would hide what is wrong for all others.
            if (request.IsUnknown && knowing.Count > 1)
                knowing.RemoveAll(reader => reader.IsElemental);
            // What Crust itself puts in is for several readers at once, and not the user's to mend.
            var findings = knowing.Count > 0 ? Run(request, knowing, document.With([entry])).Select(violation => Misplaced(request, violation) ?? ToFinding(violation))
                : entry.Key.Place.Line > 0 && !CharacterRules.IsIn(name) && UnknownAtTop(request, name, entry, readers) is { } unknown ? [unknown]
                : Enumerable.Empty<SeedFinding>();
            foreach (var finding in findings.Where(finding => finding.Place != Place.Default))
                yield return finding;
        }
    }

    // Of several readers, the one to whom least is wrong. Elemental reads Kairos' stages, and has more of them.
    private static IEnumerable<Violation> Run(SeedCheckRequest request, List<Reader> readers, ConfigMap document)
    {
        var stages = document.Entries[0].Name == "stages" && request.Profile is SeedProfile.Elemental ? SchemaLibrary.Elemental.Property("stages") : null;
        return stages is null
            ? readers.Select(reader => reader.Check(document)).MinBy(Weight)
            : SchemaCheck.Run(readers[0].Schema, document).Where(violation => !(violation.Fault is Fault.UnknownKey && stages.Value.HasPatternFor(violation.Path["stages.".Length..])));
    }

    // Kairos and stylus pass over a key in the wrong section as they do over one that doesn't exist.
    private static SeedFinding? Misplaced(SeedCheckRequest request, Violation violation) =>
        request.MayBeKairos && violation is { Fault: Fault.UnknownKey, IsWarning: true } && KeyHomes.OfNested(violation.Path) is { } home
            ? MisplacedKey.At(violation.Place, $"There is no key '{violation.Path}'", home.Length == 0 ? "put it at the top, without a key above it" : home.Contains(' ', StringComparison.Ordinal)
                ? $"put it into {home}" : $"put it under '{home}'")
            : null;

    private static SeedFinding? UnknownAtTop(SeedCheckRequest request, string name, ConfigEntry entry, List<Reader> readers)
    {
        var key = entry.Key;
        if (key is ConfigScalar { IsSecret: true })
            return UnknownKey.Warn(key.Place, "There is a key, taken from the environment, that Crust doesn't know");
        if (request.MayBeKairos && entry.Value is ConfigList && KeyHomes.IsStage(name))
            return MisplacedKey.At(key, $"The stage '{name}' stands at the top, where Kairos doesn't read it", "put it under 'stages'");
        if (Elsewhere.GetValueOrDefault(name) is { } remedy)
            return MisplacedKey.At(key, $"'{name}' isn't read here", remedy);
        if (name == "autoinstall")
            return MisplacedKey.At(key, "There is an 'autoinstall', and seed.kind is nocloud", "set seed.kind to autoinstall");
        if (KeyHomes.OfTop(request, name) is { } home)
            return MisplacedKey.At(key, $"There is no key '{name}' at the top", home.Contains(' ', StringComparison.Ordinal) ? $"put it into {home}" : $"put it under '{home}'");
        if (Everything.Any(schema => new Reader(schema).Keys.Contains(name)))
            return UnreadKey.At(key, $"'{name}' isn't read by {ReaderName(request)}");

        if (CloudInitSchema.NewerKeys.Contains(name))
            return UnknownKey.Warn(key.Place, $"'{name}' is a key of newer versions of cloud-init only", "leave it out if the system's is older");
        // A bundle reads keys of its own.
        if (HasBundles(request))
            return null;
        if (request.MayBeKairos && SchemaLibrary.Bundles.Property(name) is not null)
            return UnreadKey.At(key, $"'{name}' is read by a bundle, and there are no bundles", "add the bundle (bundles: [{targets: [run://…]}]), or leave it out if the image has it");
        var known = readers.SelectMany(reader => reader.Keys).Distinct().ToList();
        return Nearest.Find(name, known) is { } near
            ? (Nearest.IsTypo(name, near) ? UnknownKey.At(key, $"There is no key '{name}'", $"did you mean '{near}'?")
                : UnknownKey.Warn(key.Place, $"There is no key '{name}' that Crust knows of", $"did you mean '{near}'?"))
            : UnknownKey.Warn(key.Place, $"There is no key '{name}' that Crust knows of", "leave it out if nothing reads it, else add unknown-key to seed.ignore");
    }

    private static bool HasBundles(SeedCheckRequest request) =>
        request.MayBeKairos && (ConfigTree.Find(request.CloudConfig, "bundles") ?? ConfigTree.Find(request.CloudConfig, "install", "bundles")) is not null;

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
        (_, SeedProfile.Kairos) => [SchemaLibrary.Kairos, .. BundlesOf(request)],
        (_, SeedProfile.Stylus) => [SchemaLibrary.Kairos, SchemaLibrary.Stylus, .. BundlesOf(request)],
        (_, SeedProfile.Elemental) => [SchemaLibrary.Kairos, SchemaLibrary.Elemental],
        (_, SeedProfile.Debian) => [SchemaLibrary.CloudConfig, SchemaLibrary.Reference],
        _ => [.. Everything, .. BundlesOf(request)],
    };

    private static IEnumerable<Schema> BundlesOf(SeedCheckRequest request) => HasBundles(request) ? [SchemaLibrary.Bundles] : [];

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

        public bool IsElemental { get; } = Schema.Property("elemental") is not null;

        public HashSet<string> Keys { get; } = [.. Schema.KnownKeys().Where(key => key != "autoinstall" || Schema.Property(key)?.Property("version") is not null)];
    }
}
