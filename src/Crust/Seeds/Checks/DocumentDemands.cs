using System.Collections.Immutable;
using System.Globalization;
using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>The room that documents of keys and values ask for: Kairos' partitions, the storage of Ubuntu's installer, Ignition's disks.</summary>
internal static class DocumentDemands
{
    private const long Mebibyte = 1 << 20;

    private const string Units = "KMGT";

    /// <summary>What a seed asks for; nothing for kinds that have no such document.</summary>
    public static ImmutableArray<DiskDemand> Of(SeedCheckRequest request) =>
    [
        .. request switch
        {
            { Autoinstall: { } autoinstall } => OfAutoinstall(autoinstall),
            { Spec.Seed.Kind: SeedKind.Ignition } => OfIgnition(IgnitionConfig.Read(request.Files.UserData[0].Text, request.Files.UserData[0].Path)),
            { MayBeKairos: true, CloudConfig: { } document } => OfKairos(document),
            _ => [],
        },
    ];

    // kairos-agent, pkg/implementations/spec/spec.go: sizes are in MiB; 0 is the rest of the disk.
    private static IEnumerable<DiskDemand> OfKairos(ConfigMap document)
    {
        var install = Find(document, "install");
        var disk = Find(install, "device") is ConfigScalar { IsNull: false } device ? device.Value : null;
        var partitions = Find(install, "partitions") is ConfigMap map ? map.Entries.Select(entry => entry.Value) : [];
        return partitions.Concat(Items(Find(install, "extra-partitions"))).Select(partition => Demand(Find(partition, "size"), disk, Mebibyte)).OfType<DiskDemand>();
    }

    // curtin's storage actions. A partition that is preserved is there already, which on an empty disk none is.
    private static IEnumerable<DiskDemand> OfAutoinstall(ConfigMap autoinstall)
    {
        var actions = Items(Find(autoinstall, "storage", "config"));
        var disks = actions.Where(action => Says(action, "type", "disk")).ToList();
        foreach (var partition in actions.Where(action => Says(action, "type", "partition") && !IsTrue(Find(action, "preserve")) && !Says(action, "flag", "logical")))
        {
            // One on a RAID isn't on a disk.
            var disk = disks.Find(one => Find(one, "id") is ConfigScalar id && Says(partition, "device", id.Value));
            if (disk is not null && Demand(Find(partition, "size"), Find(disk, "path") is ConfigScalar { IsNull: false } path ? path.Value : null, 1) is { } demand)
                yield return demand;
        }
    }

    // Ignition 3.x, storage.disks: the table is made before anything else is done, partitions with shouldExist: false are taken away.
    private static IEnumerable<DiskDemand> OfIgnition(IgnitionConfig config) => config.Major < 3 ? [] :
        from disk in Items(Find(config.Root, "storage", "disks"))
        where Find(disk, "device") is ConfigScalar
        from partition in Items(Find(disk, "partitions"))
        where Find(partition, "shouldExist") is not ConfigScalar { Value: "false" }
        let demand = Demand(Find(partition, "sizeMiB"), ((ConfigScalar)Find(disk, "device")!).Value, Mebibyte)
        where demand is not null
        select demand;

    // A number, for curtin also with a unit (powers of 1024); what else there may be (-1, a part in percent) takes what is left.
    private static DiskDemand? Demand(ConfigNode? size, string? disk, long unit)
    {
        if (size is not ConfigScalar { IsNull: false } scalar)
            return null;
        var text = scalar.Value.Trim().TrimEnd('B');
        var shift = text.Length > 0 && unit == 1 && Units.IndexOf(char.ToUpperInvariant(text[^1])) is >= 0 and var i ? 10 * (i + 1) : 0;
        return long.TryParse(shift > 0 ? text[..^1] : text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0
            ? DiskDemand.Of(disk, number, unit << shift, scalar.Place)
            : null;
    }

    private static bool Says(ConfigNode node, string key, string value) => Find(node, key) is ConfigScalar said && said.Value == value;

    private static ImmutableArray<ConfigNode> Items(ConfigNode? node) => node is ConfigList list ? list.Items : [];
}
