using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Crust.Seeds.Documents;
using Crust.Spec;
using static Crust.Seeds.Documents.ConfigTree;

namespace Crust.Seeds.Checks;

/// <param name="Path">Its path below /dev; of a pattern, one that fits it.</param>
/// <param name="Shown">Its name as the file has it.</param>
internal sealed record NamedDisk(string Path, string Shown, Place Place);

/// <summary>The disks that kickstart files, preseed files and Ignition's configurations name.</summary>
internal static partial class InstallerDisks
{
    // Options of kickstart's commands that name disks or partitions of the machine: of its installation sources, too.
    private static readonly Dictionary<string, string[]> OfCommands = new()
    {
        ["bootloader"] = ["--boot-drive", "--driveorder"],
        ["clearpart"] = ["--drives", "--list"],
        ["harddrive"] = ["--partition"],
        ["ignoredisk"] = ["--drives", "--only-use"],
        ["part"] = ["--ondisk", "--ondrive", "--onpart", "--usepart"],
        ["partition"] = ["--ondisk", "--ondrive", "--onpart", "--usepart"],
    };

    // Commands whose words without dashes may be devices. Most are names of the file's own, such as raid.01 and pv.01.
    private static readonly string[] WithWords = ["raid", "volgroup", "btrfs", "mount"];

    // With these the installer gets disks from a network or another bus.
    internal static readonly ImmutableArray<string> Adapters = ["iscsi", "fcoe", "zfcp", "nvdimm"];

    private static readonly string[] Questions = ["partman-auto/disk", "partman-auto/select_disk", "grub-installer/bootdev", "grub-installer/choose_bootdev", "partman-auto-raid/recipe"];

    private static readonly string[] Sections = ["disks", "filesystems", "luks", "raid"];

    /// <summary>All of them, in the file's order.</summary>
    public static IEnumerable<NamedDisk> Of(SeedCheckRequest request) => request.Spec.Seed.Kind switch
    {
        SeedKind.Kickstart => OfKickstart(KickstartFile.Read(request.Files.UserData[0].Text, request.Files.UserData[0].Path)),
        SeedKind.Preseed => OfPreseed(PreseedFile.Read(request.Files.UserData[0].Text, request.Files.UserData[0].Path)),
        SeedKind.Ignition => OfIgnition(IgnitionConfig.Read(request.Files.UserData[0].Text, request.Files.UserData[0].Path).Root),
        _ => [],
    };

    private static IEnumerable<NamedDisk> OfKickstart(KickstartFile file) => file.Commands.Any(command => Adapters.Contains(command.Name)) ? [] :
        from command in file.Commands
        let options = OfCommands.GetValueOrDefault(command.Name, []).Select(command.Option).OfType<string>()
        let words = WithWords.Contains(command.Name) ? command.Arguments.Where(argument => !argument.StartsWith('-')) : []
        from name in options.Concat(words).SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        select Named(name, command.Place);

    private static IEnumerable<NamedDisk> OfPreseed(PreseedFile file) =>
        from question in Questions
        let answer = file.AnswerTo(question)
        where answer is not null
        from name in answer.Value.Split([' ', '\t', ',', '#'], StringSplitOptions.RemoveEmptyEntries)
        where name.StartsWith("/dev/", StringComparison.Ordinal)
        select Named(name, answer.Place);

    // With `luks`, `raid` and `filesystems` its own devices come up: only names of disks are looked at.
    private static IEnumerable<NamedDisk> OfIgnition(ConfigNode root) =>
        from section in Sections
        from entry in Find(root, "storage", section) is ConfigList list ? list.Items : []
        from device in (Find(entry, "devices") is ConfigList devices ? devices.Items : []).Append(Find(entry, "device")!)
        where device is ConfigScalar { IsNull: false }
        select Named(((ConfigScalar)device).Value, device.Place);

    private static NamedDisk Named(string name, Place place)
    {
        var path = name.StartsWith('/') ? name : $"/dev/{name}";
        // `sd*` and `vd[ab]` name what they fit.
        return new NamedDisk(Pattern().Replace(path, match => match.Groups[1].Value == "nvme" ? "/dev/nvme0n1" : $"/dev/{match.Groups[1].Value}a"), name, place);
    }

    [GeneratedRegex(@"\A/dev/(sd|vd|hd|xvd|nvme)[*?\[].*\z")]
    private static partial Regex Pattern();
}
