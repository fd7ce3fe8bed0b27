using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Seeds.Schemas;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>What is wrong with an Ignition configuration beside what makes it none at all: keys and values by its own version, and what Ignition's validation refuses.</summary>
internal static class IgnitionRules
{
    public static readonly SeedRule OldVersion = new("ignition-version", SeedSeverity.Warning, "A configuration of Ignition 1 or 2, which Flatcar translates when it boots, and Fedora CoreOS refuses",
        "{\"ignition\": {\"version\": \"2.3.0\"}}", "translate it with ign-converter, unless the system is Flatcar");

    public static readonly SeedRule Twice = new("ignition-twice", SeedSeverity.Error, "The same file, account, unit or device twice, with which Ignition stops the boot",
        "two files with the path /etc/motd", "keep one of the two");

    public static readonly SeedRule Unit = new("ignition-unit", SeedSeverity.Error, "A unit of systemd whose lines aren't `[Section]` or `Key=value`", "contents: ExecStart /bin/true", "mend the unit")
    { WarnsOnly = "for a unit that is enabled, and has no [Install]" };

    private static readonly string[] Nodes = ["directories", "files", "links"];

    // What Ignition keeps in a list by a key of its own.
    private static readonly (string[] Path, string[] Lists, string Key)[] Uniques =
    [
        (["storage"], Nodes, "path"),
        (["storage"], ["disks"], "device"),
        (["storage"], ["filesystems"], "device"),
        (["storage"], ["raid"], "name"),
        (["storage"], ["luks"], "name"),
        (["passwd"], ["users"], "name"),
        (["passwd"], ["groups"], "name"),
        (["systemd"], ["units"], "name"),
    ];

    private static readonly string[] Owners = ["user", "group"];

    // What may power the machine off.
    private static readonly string[] Doers = ["systemd", "storage"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        if (request.Spec.Seed.Kind is not SeedKind.Ignition)
            return [];

        var user = request.Files.UserData[0];
        var config = IgnitionConfig.Read(user.Text, user.Path);
        return
        [
            .. config.Major < 3 ? [OldVersion.At(config.VersionPlace,
                $"This is version {config.Version} of Ignition's configuration: Flatcar translates it when it boots, and Fedora CoreOS refuses it")] : Enumerable.Empty<SeedFinding>(),
            .. IgnitionSchema.Check(config).Select(violation => ToFinding(config, violation)),
            .. config.Major == 3 ? CheckTwice(config.Root) : [],
            .. config.Major == 3 ? CheckOwners(config.Root) : [],
            .. Units(config.Root).SelectMany(CheckUnit),
            .. CheckEnd(request, config.Root),
        ];
    }

    private static SeedFinding ToFinding(IgnitionConfig config, Violation violation)
    {
        var finding = SchemaRules.ToFinding(violation);
        if (violation.Fault is not Fault.UnknownKey)
            return finding;
        if (violation.What.StartsWith("There is no key", StringComparison.Ordinal))
            finding = finding with { What = $"Ignition has no key '{violation.Path}' here, and takes no notice of it" };
        // Go takes keys in any case, although Ignition warns of them; and of the old versions not all is known here.
        var word = violation.Path.Split('.')[^1];
        var isCaseOnly = violation.Remedy.Contains($"'{word}'", StringComparison.OrdinalIgnoreCase);
        var isFar = !violation.Remedy.StartsWith("did you mean", StringComparison.Ordinal);
        return isCaseOnly || (config.Major < 3 && isFar) ? finding with { Severity = SeedSeverity.Warning } : finding;
    }

    private static IEnumerable<SeedFinding> CheckTwice(ConfigMap root) =>
        from unique in Uniques
        let keys = unique.Lists.SelectMany(list => Items(Find(root, [.. unique.Path, list]))).Select(item => Find(item, unique.Key)).OfType<ConfigScalar>().Where(key => !key.IsNull).ToList()
        from twice in keys.Where((key, i) => keys.Take(i).Any(other => other.Value == key.Value))
        select Twice.At(twice, $"This {unique.Key} stands twice in {unique.Path[0]}: Ignition stops the boot");

    // An owner is a number or a name.
    private static IEnumerable<SeedFinding> CheckOwners(ConfigMap root) =>
        from list in Nodes
        from node in Items(Find(root, "storage", list))
        from owner in Owners
        where Find(node, owner, "id") is { IsNull: false } && Find(node, owner, "name") is ConfigScalar { IsNull: false, Value.Length: > 0 }
        select SchemaRules.WrongValue.At(Find(node, owner)!, $"'storage.{list}.{owner}' has both 'id' and 'name'", "keep one of them");

    private static ImmutableArray<ConfigNode> Units(ConfigMap root) => Items(Find(root, "systemd", "units"));

    private static IEnumerable<SeedFinding> CheckUnit(ConfigNode unit)
    {
        foreach (var contents in Items(Find(unit, "dropins")).Prepend(unit).Select(one => Find(one, "contents")).OfType<ConfigScalar>().Where(contents => !contents.IsNull))
        {
            if (!IsUnit(contents.Value))
                yield return Unit.At(contents, "This is no unit of systemd: a line is neither [Section] nor Key=value");
        }

        if (IsTrue(Find(unit, "enabled")) && Find(unit, "contents") is ConfigScalar { IsNull: false, Value: { Length: > 0 } text } && !text.Contains("[Install]", StringComparison.Ordinal))
            yield return Unit.Warn(Find(unit, "enabled")!.Place, "The unit is enabled, and has no [Install]: nothing starts it", "add [Install] with WantedBy=multi-user.target");
    }

    // A backslash at a line's end continues it.
    private static bool IsUnit(string text)
    {
        var isContinued = false;
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            var isPart = isContinued || line.Length == 0 || line[0] is '#' or ';' || (line[0] == '[' ? line[^1] == ']' : line.IndexOf('=') > 0);
            isContinued = line.EndsWith('\\') && (line.Length == 0 || line[0] is not ('#' or ';'));
            if (!isPart)
                return false;
        }

        return true;
    }

    // Only units and what files bring can end it; what they do can't be seen. A configuration from elsewhere may bring anything.
    private static IEnumerable<SeedFinding> CheckEnd(SeedCheckRequest request, ConfigMap root)
    {
        var canEnd = Doers.Any(key => Find(root, key) is ConfigMap { Entries.IsEmpty: false }) || Find(root, "ignition", "config") is ConfigMap { Entries.IsEmpty: false };
        return canEnd || request.Spec.Machine.OnReboot is OnReboot.Finish ? [] :
        [
            EndingRules.NoPoweroff.At(root.Entries[0].Key, "Nothing in it can power the machine off: it has no units and no files",
                "add a unit that powers off when the installation is done; or set machine.onReboot to finish, if the installer reboots"),
        ];
    }

    private static ImmutableArray<ConfigNode> Items(ConfigNode? node) => node is ConfigList list ? list.Items : [];
}
