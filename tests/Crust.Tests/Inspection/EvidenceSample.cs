using System.Collections.Immutable;
using System.Text;
using Crust.Disks;
using Crust.Inspection.Evidence;
using Crust.Machines;

namespace Crust.Tests.Inspection;

/// <summary>What the appliance tells of disks.</summary>
internal sealed record EvidenceSample(ImmutableArray<GuestWord.Found> Words)
{
    /// <summary>The operating system of <see cref="Reference"/>.</summary>
    public const string System = "4.1";

    public static readonly DateOnly Today = new(2025, 3, 4);

    public static EvidenceSample None { get; } = new([]);

    /// <summary>A disk of 3 GiB with a GPT, GRUB in its first sector, partitions as Crust's reference installer makes them, and an operating system on the third.</summary>
    public static EvidenceSample Reference { get; } = None
        .With("sector", "0", Grub())
        .With("volume", "1", "DEVICE=/dev/vda\nSIZE=3221225472\nID_PART_TABLE_TYPE=gpt\n")
        .With("volume", "2", "DEVICE=/dev/vda1\nSIZE=1048576\nNUMBER=1\nID_PART_ENTRY_NAME=bios\nID_PART_ENTRY_TYPE=21686148-6449-6e6f-744e-656564454649\n")
        .With("core", "2", [1, 2, 3])
        .With("volume", "3", "DEVICE=/dev/vda2\nSIZE=134217728\nNUMBER=2\nID_FS_LABEL_ENC=EFI\nID_FS_UUID_ENC=16A0-D503\nID_FS_TYPE=vfat\nID_PART_ENTRY_NAME=efi\nID_PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b\n")
        .With("space", "3", "512 258077 246138 246138\n")
        .With("files", "3", "/run/crust/mount/EFI/BOOT/BOOTX64.EFI\0/run/crust/mount/EFI/BOOT/grubx64.efi\0/run/crust/mount/EFI/debian/grub.cfg\0")
        .With("volume", "4", "DEVICE=/dev/vda3\nSIZE=3084893696\nNUMBER=3\nID_FS_LABEL_ENC=root\nID_FS_UUID_ENC=2a2675b6-931f-470b-9401-f9dc4f467c14\nID_FS_TYPE=ext4\nID_PART_ENTRY_NAME=root\nID_PART_ENTRY_TYPE=4f68bce3-e8cd-4db1-96e7-fbcaf984b709\n")
        .With("space", "4", "4096 722727 517406 505779\n")
        .With("system", System, "")
        .With("os-release", System, "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n")
        .With("machine-id", System, "")
        .With("hostname", System, "debian\n")
        .With("fstab", System, "# made by hand\nUUID=2a2675b6-931f-470b-9401-f9dc4f467c14 / ext4 defaults 0 1\n/swapfile none swap sw 0 0\n")
        .With("accounts", System, "root:none:0:/root:/bin/bash:20089:99999:\ndaemon:none:1:/usr/sbin:/usr/sbin/nologin:20089:99999:\n")
        .With("files", System, "/var/lib/cloud/seed/nocloud/meta-data\0/var/lib/cloud/seed/nocloud/user-data\0/usr/bin/cloud-init\0/boot/vmlinuz-6.1.0-56-amd64\0")
        .With("seed", System, "users:\n- name: \"edge\"\n  lock_passwd: false\n  passwd:\n  ssh_authorized_keys:\n  - x\n");

    /// <summary>The same with another word in place of those of its kind and place.</summary>
    public EvidenceSample With(string kind, string at, byte[] data) => new([.. Words.Where(word => word.Kind != kind || word.At != at), new GuestWord.Found(kind, at, data)]);

    public EvidenceSample With(string kind, string at, string text) => With(kind, at, Encoding.UTF8.GetBytes(text));

    /// <summary>The same with more files in the operating system.</summary>
    public EvidenceSample WithFiles(params string[] files) => new([.. Words, new GuestWord.Found("files", System, Encoding.UTF8.GetBytes(string.Concat(files.Select(file => file + "\0"))))]);

    /// <summary>The same without the words of a kind at a place; without a place, of all.</summary>
    public EvidenceSample Without(string kind, string? at = null) => new([.. Words.Where(word => word.Kind != kind || (at is not null && word.At != at))]);

    public DiskEvidence ToEvidence()
    {
        var evidence = new DiskEvidence();
        foreach (var word in Words)
            evidence.Add(word);
        return evidence;
    }

    /// <summary>What the reader makes of it.</summary>
    public DiskInspection Read() => InspectionReader.Read(ToEvidence(), Today);

    /// <summary>The rules of the findings of a gravity.</summary>
    public IEnumerable<string> Rules(string gravity = "warning") => Read().Findings.Where(finding => finding.Gravity == gravity).Select(finding => finding.Rule);

    private static byte[] Grub()
    {
        var sector = new byte[512];
        "GRUB"u8.CopyTo(sector.AsSpan(0x180));
        return sector;
    }
}
