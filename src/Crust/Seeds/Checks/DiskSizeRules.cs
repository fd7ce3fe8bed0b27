using System.Collections.Immutable;
using Crust.Seeds.Documents;
using Crust.Spec;

namespace Crust.Seeds.Checks;

/// <summary>Room that a document asks for on a disk.</summary>
/// <param name="Disk">The disk's path below /dev; null for any of the machine's, whichever the installer takes.</param>
/// <param name="Bytes">How much, at least.</param>
/// <param name="Place">Where the document asks for it.</param>
internal sealed record DiskDemand(string? Disk, long Bytes, Place Place)
{
    // More than any disk has, and few enough that a document's can be added up.
    private const long Most = 1L << 46;

    /// <summary>A demand in units of some bytes, such as MiB; of more than 64 TiB it is one of 64 TiB.</summary>
    public static DiskDemand Of(string? disk, long number, long unit, Place place) => new(disk, Math.Min(number, Most / unit) * unit, place);
}

/// <summary>
/// Whether the machine's disks have room for the partitions that a document asks for. Only what the document itself says is added up, so that each sum is the least that the
/// installer needs.
/// </summary>
internal static class DiskSizeRules
{
    public static readonly SeedRule DiskSize = new("disk-size", SeedSeverity.Error,
        "Partitions or volumes that need more room than the build's disk has (`machine.disk`), or than their volume group has",
        "part / --size=200000 (on a disk of 100G)", "make machine.disk larger, or the partitions smaller")
    { WarnsOnly = "where nobody knows who reads the document, or a script of it may change what it says" };

    private const string Remedy = "make them smaller, or set machine.disk (DISK_SIZE, --disk-size) to more";

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request)
    {
        var findings = request.Spec.Seed.Kind switch
        {
            SeedKind.Kickstart => CheckKickstart(request),
            SeedKind.Preseed => CheckPreseed(request),
            _ => CheckDemands(DocumentDemands.Of(request), DisksOf(request.Spec.Machine)),
        };
        return request.IsUnknown ? findings.Select(finding => finding with { Severity = SeedSeverity.Warning }) : findings;
    }

    private static IEnumerable<SeedFinding> CheckKickstart(SeedCheckRequest request)
    {
        var storage = KickstartStorage.Of(KickstartFile.Read(request.Files.UserData[0].Text, request.Files.UserData[0].Path));
        return
        [
            .. CheckDemands(storage.Demands, storage.Usable(DisksOf(request.Spec.Machine))),
            .. storage.Overfull.Select(over => DiskSize.At(over.Place,
                $"The logical volumes of this group need {Size.Format(over.Needed)} with this, and its physical volumes have {Size.Format(over.Had)} and don't grow",
                "make them smaller, or the physical volumes larger, or let one --grow")),
        ];
    }

    private static IEnumerable<SeedFinding> CheckPreseed(SeedCheckRequest request)
    {
        if (PartmanRecipe.In(PreseedFile.Read(request.Files.UserData[0].Text, request.Files.UserData[0].Path)) is not { } recipe)
            return [];
        // What follows is partman-auto's lib/recipes.sh, choose_recipe: only the installer's log says that a recipe was too large.
        const string dropped = "Debian's installer passes over the recipe, and takes one of its own";
        var room = recipe.RoomOn(DisksOf(request.Spec.Machine));
        var finding = recipe.HasUnreadable ? DiskSize.At(recipe.Place, $"A smallest size in the recipe isn't a number of megabytes: {dropped}", "write digits alone: 10000, not 10G")
            : recipe.Bytes >= room ? DiskSize.At(recipe.Place, $"The recipe's partitions need {Size.Format(recipe.Bytes)} at least, and there are {Size.Format(room)}: {dropped}", Remedy)
            : null;
        return finding is null ? [] : [recipe.MayChange ? finding with { Severity = SeedSeverity.Warning } : finding];
    }

    private static IEnumerable<SeedFinding> CheckDemands(ImmutableArray<DiskDemand> demands, ImmutableArray<(string Name, long Size)> disks)
    {
        if (disks.IsEmpty)
            yield break;
        var isFull = false;
        // A disk needs room for its partition table, too: what is as large as the disk doesn't fit.
        foreach (var (name, size) in disks)
        {
            if (Crossing(demands.Where(demand => NameOf(demand, disks) == name), size) is (var over, var sum))
            {
                isFull = true;
                yield return DiskSize.At(over.Place, $"What is to be on {name} needs {Size.Format(sum)} with this, and the disk has {Size.Format(size)}", Remedy);
            }
        }

        if (isFull)
            yield break;
        var (largest, all) = (disks.Max(disk => disk.Size), disks.Sum(disk => disk.Size));
        if (demands.FirstOrDefault(demand => NameOf(demand, disks) is null && demand.Bytes >= largest) is { } single)
            yield return DiskSize.At(single.Place, $"This needs {Size.Format(single.Bytes)}, and {(disks.Length == 1 ? "the disk" : "the largest disk")} has {Size.Format(largest)}", Remedy);
        else if (Crossing(demands, all) is (var over, var sum))
            yield return DiskSize.At(over.Place,
                $"What is to be installed needs {Size.Format(sum)} with this, and {(disks.Length == 1 ? "the disk has" : "the disks have")} {Size.Format(all)}", Remedy);
    }

    private static (DiskDemand Demand, long Sum)? Crossing(IEnumerable<DiskDemand> demands, long size)
    {
        var sum = 0L;
        foreach (var demand in demands)
        {
            sum += demand.Bytes;
            if (sum >= size)
                return (demand, sum);
        }

        return null;
    }

    // A disk under another name (by-id, by-path) may be any.
    private static string? NameOf(DiskDemand demand, ImmutableArray<(string Name, long Size)> disks) => disks.FirstOrDefault(disk => disk.Name == demand.Disk).Name;

    /// <summary>The disks that the machine has beside the seed's own, by their names on its bus.</summary>
    public static ImmutableArray<(string Name, long Size)> DisksOf(MachineSpec machine) =>
    [
        (machine.DiskName, machine.Disk),
        .. machine.ExtraDisks.Select((size, i) => (machine.DiskBus is DiskBus.Nvme ? $"/dev/nvme{i + 1}n1" : $"{machine.DiskName[..^1]}{(char)('b' + i)}", size)),
    ];
}
