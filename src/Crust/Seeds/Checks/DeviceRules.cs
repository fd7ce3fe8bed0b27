using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <summary>Whether the disk that is installed to is one that the build's machine has. What is read later, on other machines, isn't looked at.</summary>
internal static partial class DeviceRules
{
    public static readonly SeedRule Device = new("device", SeedSeverity.Error, "A disk that the build's machine doesn't have, by its bus (`machine.diskBus`) or by the number of disks", "install: {device: /dev/sda} (on virtio)",
        "write auto or the disk's name on this bus, or set machine.diskBus");

    // Stages that run while the installer does.
    private static readonly string[] InstallStages = ["before-install", "after-install", "after-install-chroot", "kairos-install.pre", "kairos-install.after", "kairos-uki-install.pre", "kairos-uki-install.after"];

    public static IEnumerable<SeedFinding> Check(SeedCheckRequest request) =>
        from device in DevicesOf(request)
        let finding = Check(request.Spec, device)
        where finding is not null
        select finding;

    private static SeedFinding? Check(BuildSpec spec, ConfigScalar device)
    {
        var match = DiskName().Match(device.Value);
        if (!match.Success || device.IsSecret)
            return null;

        var machine = spec.Machine;
        var disks = 1 + machine.ExtraDisks.Length + (spec.Seed.FileSystem is SeedFileSystem.Vfat ? 1 : 0);
        var (own, number) = machine.DiskBus switch
        {
            DiskBus.Virtio => ("/dev/vda", NumberOf(match.Groups["vd"])),
            DiskBus.Nvme => ("/dev/nvme0n1", match.Groups["nvme"].Success ? int.Parse(match.Groups["nvme"].ValueSpan) : null),
            _ => ("/dev/sda", NumberOf(match.Groups["sd"])),
        };
        var bus = machine.DiskBus.LowerName();
        return number switch
        {
            null => Device.At(device, $"The machine has no {device.Value}: its disk is on {bus}, and so {own}", $"write {own} or auto, or set machine.diskBus to {BusOf(match)}"),
            { } n when n >= disks => Device.At(device, $"The machine has no {device.Value}: it has {disks} {(disks == 1 ? "disk" : "disks")}, from {own} on", $"write {own}, or add machine.extraDisks"),
            _ => null,
        };
    }

    private static IEnumerable<ConfigScalar> DevicesOf(SeedCheckRequest request)
    {
        IEnumerable<ConfigNode?> nodes = request.Autoinstall is { } autoinstall
            ?
            [
                Find(autoinstall, "storage", "layout", "match", "path"),
                .. Items(Find(autoinstall, "storage", "layout", "match")).Select(match => Find(match, "path")),
                .. Items(Find(autoinstall, "storage", "config")).Where(action => Find(action, "type") is ConfigScalar { Value: "disk" }).Select(disk => Find(disk, "path")),
            ]
            : request.Spec.Seed.Kind is SeedKind.Nocloud
            ? [Find(request.CloudConfig, "install", "device"), .. InstallStages.SelectMany(stage => Items(Find(request.CloudConfig, "stages", stage))).Select(step => Find(step, "layout", "device", "path"))]
            : [];
        return nodes.OfType<ConfigScalar>();
    }

    private static ImmutableArray<ConfigNode> Items(ConfigNode? node) => node is ConfigList list ? list.Items : [];

    // a is 0, b is 1, aa is 26.
    private static int? NumberOf(Group letters) => letters.Success ? letters.Value.Aggregate(0, (number, letter) => (number * 26) + letter - 'a' + 1) - 1 : null;

    private static string BusOf(Match match) => match.Groups["vd"].Success ? "virtio" : match.Groups["nvme"].Success ? "nvme" : "sata or scsi";

    [GeneratedRegex(@"\A/dev/(vd(?<vd>[a-z]{1,2})[0-9]*|sd(?<sd>[a-z]{1,2})[0-9]*|nvme(?<nvme>[0-9]{1,3})n[0-9]+(p[0-9]+)?|x?hd[a-z]+[0-9]*|xvd[a-z]+[0-9]*|mmcblk[0-9]+(p[0-9]+)?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex DiskName();
}
