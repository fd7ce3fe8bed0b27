using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether the disk that is installed to is one that the build's machine has. What is read later, on other machines, isn't looked at.</summary>
internal static partial class DeviceRules
{
    public static readonly SeedRule Device = new("device", SeedSeverity.Error, "A disk that the build's machine doesn't have, by its bus (`machine.diskBus`) or by the number of disks",
        "install: {device: /dev/sda} (on virtio)",
        "write auto or the disk's name on this bus, or set machine.diskBus")
    { WarnsOnly = "for a disk under another name, and where the installer may take an extra disk" };

    // Stages that run while the installer does.
    private static readonly string[] InstallStages = ["before-install", "after-install", "after-install-chroot", "kairos-install.pre", "kairos-install.after", "kairos-uki-install.pre",
        "kairos-uki-install.after"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
    [
        .. DevicesOf(request).Where(device => !device.IsSecret).SelectMany(device => Check(request.Spec, new NamedDisk(device.Value, device.Value, device.Place), "{0} or auto")),
        .. InstallerDisks.Of(request).SelectMany(device => Check(request.Spec, device, "{0}")),
        .. request.Spec.Machine.HasLargerExtraDisk ? CheckLargest(request) : [],
        .. request.Spec.Machine.ExtraDisks.IsEmpty ? [] : CheckChoice(request),
    ];

    // Kairos' installer and Crust's take the largest disk for auto, Ubuntu's where nothing says otherwise.
    private static IEnumerable<SeedFinding> CheckLargest(SeedCheckRequest request)
    {
        var machine = request.Spec.Machine;
        Place? place = request switch
        {
            { Autoinstall: { } autoinstall } => TakesLargest(autoinstall) ? request.Whole : null,
            { Spec.Seed.Kind: SeedKind.Nocloud or SeedKind.Embedded } => Find(request.CloudConfig, "install", "device") is ConfigScalar { Value: "auto" or "" } device ? device.Place : null,
            _ => null,
        };
        if (place is not { } where)
            yield break;

        var largest = machine.ExtraDisks.Max();
        var what = $"The largest disk is taken, and that is an extra disk of {Size.Format(largest)}, which is thrown away after the install: the build's own has {Size.Format(machine.Disk)}";
        var remedy = $"name {machine.DiskName}, or make machine.disk larger than machine.extraDisks";
        // Of two that are as large, which is taken is the installer's affair.
        yield return largest > machine.Disk ? Device.At(where, what, remedy) : Device.Warn(where, what.Replace("that is", "that may be", StringComparison.Ordinal), remedy);
    }

    // Without a word about disks, Anaconda uses all of them; Debian's installer asks which, or takes the first.
    private static IEnumerable<SeedFinding> CheckChoice(SeedCheckRequest request)
    {
        var (machine, user) = (request.Spec.Machine, request.Files.UserData.FirstOrDefault());
        var own = machine.DiskName;
        return request.Spec.Seed.Kind switch
        {
            SeedKind.Kickstart when KickstartStorage.Of(KickstartFile.Read(user!.Text, user.Path)) is var storage && storage.Usable(DiskSizeRules.DisksOf(machine)).Any(disk => disk.Name != own)
                && !storage.ClearsOnly(own) && storage.OnAnyDisk is { } place =>
            [
                Device.Warn(place, "Anaconda may put this on an extra disk, too, which is thrown away after the install", $"add: ignoredisk --only-use={own["/dev/".Length..]}"),
            ],
            SeedKind.Preseed when PreseedFile.Read(user!.Text, user.Path) is var file && file.AnswerTo("partman-auto/method") is { Value.Length: > 0 } method
                && file.AnswerTo("partman-auto/disk") is not { Value.Length: > 0 } && !PartmanRecipe.MayChangeIn(file) =>
            [
                Device.Warn(method.Place, "The file doesn't say which disk is installed to, and extra disks are thrown away after the install", $"answer partman-auto/disk with {own}"),
            ],
            _ => [],
        };
    }

    private static bool TakesLargest(ConfigMap autoinstall) => Find(autoinstall, "storage", "config") is null
        && (Find(autoinstall, "storage", "layout", "match") is not { } match || Find(match, "size") is ConfigScalar { Value: "largest" });

    private static IEnumerable<SeedFinding> Check(BuildSpec spec, NamedDisk device, string remedy)
    {
        var machine = spec.Machine;
        var bus = machine.DiskBus.LowerName();
        if (ById().Match(device.Path) is { Success: true } id && !IsOn(machine.DiskBus, id.Groups["bus"].Value))
            yield return Device.Warn(device.Place, $"The machine has no {device.Shown}: its disk is on {bus}", "name it in another way, or set machine.diskBus");

        var match = DiskName().Match(device.Path);
        if (!match.Success)
            yield break;

        var disks = 1 + machine.ExtraDisks.Length + (spec.Seed.FileSystem is SeedFileSystem.Vfat ? 1 : 0);
        var (name, number) = machine.DiskBus switch
        {
            DiskBus.Virtio => ("vda", NumberOf(match.Groups["vd"])),
            DiskBus.Nvme => ("nvme0n1", match.Groups["nvme"].Success ? int.Parse(match.Groups["nvme"].ValueSpan) : null),
            _ => ("sda", NumberOf(match.Groups["sd"])),
        };
        // In the form in which the file names its own.
        var own = device.Shown.StartsWith('/') ? $"/dev/{name}" : name;
        if (number is null)
            yield return Device.At(device.Place, $"The machine has no {device.Shown}: its disk is on {bus}, and so {own}",
                $"write {string.Format(remedy, own)}, or set machine.diskBus to {BusOf(match)}");
        else if (number >= disks)
            yield return Device.At(device.Place, $"The machine has no {device.Shown}: it has {disks} {(disks == 1 ? "disk" : "disks")}, from {own} on", $"write {own}, or add machine.extraDisks");
    }

    // udev's names; a SATA disk may have one as a SCSI disk, too.
    private static bool IsOn(DiskBus bus, string prefix) => prefix switch
    {
        "virtio" => bus is DiskBus.Virtio,
        "nvme" => bus is DiskBus.Nvme,
        "ata" => bus is DiskBus.Sata,
        _ => bus is not (DiskBus.Virtio or DiskBus.Nvme),
    };

    private static IEnumerable<ConfigScalar> DevicesOf(SeedCheckRequest request)
    {
        IEnumerable<ConfigNode?> nodes = request.Autoinstall is { } autoinstall
            ?
            [
                Find(autoinstall, "storage", "layout", "match", "path"),
                .. Items(Find(autoinstall, "storage", "layout", "match")).Select(match => Find(match, "path")),
                .. Items(Find(autoinstall, "storage", "config")).Where(action => Find(action, "type") is ConfigScalar { Value: "disk" }).Select(disk => Find(disk, "path")),
            ]
            : request.Spec.Seed.Kind is SeedKind.Nocloud or SeedKind.Embedded
            ? [Find(request.CloudConfig, "install", "device"),
                .. InstallStages.SelectMany(stage => Items(Find(request.CloudConfig, "stages", stage))).Select(step => Find(step, "layout", "device", "path"))]
            : [];
        return nodes.OfType<ConfigScalar>();
    }

    private static ImmutableArray<ConfigNode> Items(ConfigNode? node) => node is ConfigList list ? list.Items : [];

    // a is 0, b is 1, aa is 26.
    private static int? NumberOf(Group letters) => letters.Success ? letters.Value.Aggregate(0, (number, letter) => (number * 26) + letter - 'a' + 1) - 1 : null;

    private static string BusOf(Match match) => match.Groups["vd"].Success ? "virtio" : match.Groups["nvme"].Success ? "nvme" : "sata or scsi";

    [GeneratedRegex(@"\A/dev/(vd(?<vd>[a-z]{1,2})[0-9]*|sd(?<sd>[a-z]{1,2})[0-9]*|nvme(?<nvme>[0-9]{1,3})n[0-9]+(p[0-9]+)?|x?hd[a-z]+[0-9]*|xvd[a-z]+[0-9]*|mmcblk[0-9]+(p[0-9]+)?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DiskName();

    [GeneratedRegex(@"\A/dev/disk/by-id/(?<bus>virtio|nvme|ata|scsi)-", RegexOptions.ExplicitCapture)]
    private static partial Regex ById();
}
