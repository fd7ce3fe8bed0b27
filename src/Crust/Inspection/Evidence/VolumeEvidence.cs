using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Disks;

namespace Crust.Inspection.Evidence;

internal sealed partial class VolumeEvidence
{
    private const string BiosBootType = "21686148-6449-6e6f-744e-656564454649";

    private static readonly ImmutableDictionary<string, string> Types = new Dictionary<string, string>
    {
        [BiosBootType] = "BIOS boot",
        ["c12a7328-f81f-11d2-ba4b-00a0c93ec93b"] = "EFI system",
        ["bc13c2ff-59e6-4262-a352-b275fd6f7172"] = "Linux boot",
        ["0fc63daf-8483-4772-8e79-3d69d8477de4"] = "Linux",
        ["4f68bce3-e8cd-4db1-96e7-fbcaf984b709"] = "Linux root (x86-64)",
        ["b921b045-1df0-41c3-af44-4c6f280d3fae"] = "Linux root (arm64)",
        ["0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"] = "Linux swap",
        ["e6d6d379-f507-44c2-a23c-238f2a3df928"] = "Linux LVM",
        ["a19d880f-05fc-4d3b-a006-743f0f84911e"] = "Linux RAID",
        ["ebd0a0a2-b9e5-4433-87c0-68b6b72699c7"] = "Microsoft data",
        ["e3c9e316-0b5c-4db8-817d-f92df00215ae"] = "Microsoft reserved",
        ["0x83"] = "Linux",
        ["0x82"] = "Linux swap",
        ["0x8e"] = "Linux LVM",
        ["0xef"] = "EFI system",
        ["0x5"] = "extended",
        ["0xf"] = "extended",
        ["0x7"] = "NTFS or exFAT",
        ["0xa5"] = "FreeBSD",
        ["0xa6"] = "OpenBSD",
        ["0xa9"] = "NetBSD",
    }.ToImmutableDictionary();

    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    private VolumeEvidence(string number, string text, DiskEvidence evidence)
    {
        Number = number;
        foreach (var line in PlainText.Lines(text))
        {
            if (line.IndexOf('=') is var equals and > 0)
            {
                _values.TryAdd(line[..equals], line[(equals + 1)..]);
            }
        }

        Files = [.. evidence.Texts("files", number).SelectMany(PlainText.Parts).Select(Below).OfType<string>()];
        Trouble = evidence.Text("trouble", number);
        Space = (evidence.Text("space", number) ?? "").Split(' ', '\n') is [var block, var blocks, var free, ..]
            && Count(block) is { } size && Count(blocks) is { } all && Count(free) is { } rest && all >= rest && size is > 0 and <= 1 << 20
            ? ((all - rest) * size, rest * size)
            : null;
        Board = PiBootEvidence.Of(evidence, number, MountPoint);
        HoldsCore = evidence.Bytes("core", number) is { IsEmpty: false } core ? core.Span.ContainsAnyExcept((byte)0) : null;
    }

    /// <summary>The job's number for it.</summary>
    public string Number { get; }

    /// <summary>The files in it that were told, as paths from its root; a volume that holds a system has none.</summary>
    public ImmutableArray<string> Files { get; }

    /// <summary>What a Raspberry Pi's firmware finds there; null if it isn't for one.</summary>
    public PiBootEvidence? Board { get; }

    /// <summary>Bytes that are used and free in it; null if it wasn't read.</summary>
    public (long Used, long Free)? Space { get; }

    /// <summary>Why it can't be read; null if it can, or if nobody tried.</summary>
    public string? Trouble { get; }

    /// <summary>Whether its first sector holds anything; null if it is no partition for GRUB's core.</summary>
    public bool? HoldsCore { get; }

    /// <summary>Its size in bytes.</summary>
    public long Size => Count(Value("SIZE")) ?? 0;

    /// <summary>What is on it, as blkid names it; null if that isn't known.</summary>
    public string? FileSystem => Value("ID_FS_TYPE");

    /// <summary>The file system's label.</summary>
    public string? Label => Decoded("ID_FS_LABEL_ENC") ?? Value("ID_FS_LABEL");

    /// <summary>The file system's UUID.</summary>
    public string? Uuid => Decoded("ID_FS_UUID_ENC");

    /// <summary>What PARTUUID= names it by: in an MBR, the disk id and the partition's number; null if it is no partition.</summary>
    public string? PartitionUuid => Value("ID_PART_ENTRY_UUID");

    /// <summary>The partition's name in a GPT.</summary>
    public string? PartitionName => Decoded("ID_PART_ENTRY_NAME");

    public string? PartitionType => Value("ID_PART_ENTRY_TYPE") is { } type ? Types.GetValueOrDefault(type, PlainText.Clean(type)) : null;

    /// <summary>The kind of the partition table on it; null if it has none.</summary>
    public string? Table => Value("ID_PART_TABLE_TYPE");

    public bool IsDisk => PartitionNumber is null && LogicalName is null && Image is null;

    /// <summary>Whether it is a partition that only holds others.</summary>
    public bool IsContainer => PartitionType == "extended" && FileSystem is null;

    /// <summary>Whether it is one that UEFI firmware reads.</summary>
    public bool IsForFirmware => FileSystem == "vfat";

    private string? PartitionNumber => Value("NUMBER");

    private string? LogicalName => Value("NAME");

    private string? Image => Value("IMAGE");

    public static ImmutableArray<VolumeEvidence> All(DiskEvidence evidence) =>
        [.. evidence.Places("volume").Select(number => new VolumeEvidence(number, evidence.Text("volume", number)!, evidence))];

    public string NameAmong(ImmutableArray<VolumeEvidence> all) =>
        Image is { } file ? $"{all.FirstOrDefault(other => other.Number == Value("IN"))?.NameAmong([]) ?? "disk"}, {file}"
        : PartitionNumber is { } number ? $"partition {number}"
        : LogicalName is { } name ? LogicalVolume(name)
        : "disk";

    public VolumeFacts Facts(ImmutableArray<VolumeEvidence> all) => new()
    {
        Name = NameAmong(all),
        PartitionName = PartitionName,
        PartitionType = PartitionType,
        Size = Size,
        FileSystem = FileSystem,
        Label = Label,
        Uuid = Uuid,
        Used = Space?.Used,
        Free = Space?.Free,
        Unread = Unread(),
    };

    private string? Unread() => FileSystem switch
    {
        _ when Space is not null => null,
        _ when Trouble is not null => $"it can't be mounted: {PlainText.Clean(Trouble)}",
        null or "swap" or "LVM2_member" => null,
        "crypto_LUKS" => "it is encrypted (LUKS)",
        "BitLocker" => "it is encrypted (BitLocker)",
        "linux_raid_member" => "it is a part of a RAID",
        "zfs_member" => "ZFS isn't read here",
        var other => $"{other} isn't read here",
    };

    // device-mapper's names join group and volume by one dash, and double those inside (lvm(8)).
    private static string LogicalVolume(string name) => LoneDash().Replace(name, "/", 1).Replace("--", "-", StringComparison.Ordinal);

    private static string? Below(string path) => path.StartsWith(MountPoint, StringComparison.Ordinal) ? path[MountPoint.Length..] : null;

    private const string MountPoint = "/run/crust/mount/";

    private string? Value(string key) => _values.TryGetValue(key, out var value) && value.Length > 0 ? PlainText.Clean(value) : null;

    // blkid writes what isn't plain as \x20 (libblkid's blkid_encode_string).
    private string? Decoded(string key) => Value(key) is { } value
        ? PlainText.Clean(PlainText.Of(Escape().Replace(value, match => ((char)byte.Parse(match.ValueSpan[2..], NumberStyles.HexNumber)).ToString()).Select(c => c < 256 ? (byte)c : (byte)'?')
            .ToArray()))
        : null;

    private static long? Count(string? text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;

    [GeneratedRegex(@"\\x[0-9a-f]{2}")]
    private static partial Regex Escape();

    [GeneratedRegex("(?<!-)-(?!-)")]
    private static partial Regex LoneDash();
}
