using System.Collections.Immutable;

namespace Crust.Disks;

/// <summary>What is on a disk, as the appliance has seen it. Text from the disk has no control characters in it, and is cut where it is long.</summary>
internal sealed record DiskInspection
{
    /// <summary>The disk's size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Its partition table: `gpt`, `mbr` or `none`.</summary>
    public required string Table { get; init; }

    /// <summary>How it can be booted.</summary>
    public required BootFacts Boot { get; init; }

    /// <summary>The disk's partitions, logical volumes, and images of file systems in file systems; the disk itself if it has no partition table.</summary>
    public required ImmutableArray<VolumeFacts> Volumes { get; init; }

    /// <summary>The operating systems on it.</summary>
    public required ImmutableArray<SystemFacts> Systems { get; init; }

    /// <summary>What would make clones of the disk collide, lock people out, or keep it from booting elsewhere.</summary>
    public required ImmutableArray<DiskFinding> Findings { get; init; }

    /// <summary>Whether the systems' packages were looked for; earlier versions of Crust didn't.</summary>
    internal bool KnowsPackages { get; init; }

    /// <summary>The findings of which a user should be warned.</summary>
    internal IEnumerable<DiskFinding> Warnings => Findings.Where(finding => finding.Gravity == DiskFinding.Warning);

    /// <summary>The disk in a few words.</summary>
    public string Describe() => Systems switch
    {
        [] => Volumes.Count(volume => volume.FileSystem is not null) is var count and > 0 ? $"no operating system that can be read, {count} file system{(count == 1 ? "" : "s")}"
            : "nothing that can be read",
        [var one] => one.Name,
        [var first, ..] => $"{first.Name} and {Systems.Length - 1} more",
    };
}

/// <summary>How a disk can be booted.</summary>
internal sealed record BootFacts
{
    /// <summary>The boot code for BIOS in its first sector: `GRUB`, or `unknown`; null if there is none.</summary>
    public required string? Bios { get; init; }

    /// <summary>Whether the partition holds something that GRUB keeps its core in on a GPT disk; null if there is no such partition.</summary>
    public required bool? BiosPartition { get; init; }

    /// <summary>The programs in its EFI system partitions.</summary>
    public required ImmutableArray<string> Uefi { get; init; }

    /// <summary>Kernels in file systems that hold no operating system, as a `/boot` of its own does.</summary>
    public required ImmutableArray<string> Kernels { get; init; }

    /// <summary>Whether one of the programs is where any machine's firmware looks: `EFI/BOOT/BOOTX64.EFI` and its like.</summary>
    public required bool UefiFallback { get; init; }

    /// <summary>The Raspberry Pis whose firmware finds on it what it asks for: `Pi 4`, `Pi 5`; null where it is for none.</summary>
    public ImmutableArray<string>? RaspberryPi { get; init; }
}

/// <summary>A part of a disk.</summary>
internal sealed record VolumeFacts
{
    /// <summary>What it is called here: `partition 3`, `disk`, `vg/root`, `partition 4, cOS/active.img`.</summary>
    public required string Name { get; init; }

    /// <summary>The partition's name in the partition table; null if it has none.</summary>
    public string? PartitionName { get; init; }

    /// <summary>The partition's type: a word for those that are known, else as the table has it; null where it is no partition.</summary>
    public string? PartitionType { get; init; }

    /// <summary>Its size in bytes.</summary>
    public required long Size { get; init; }

    /// <summary>What is on it, as blkid names it: `ext4`, `swap`, `crypto_LUKS`; null if that isn't known.</summary>
    public string? FileSystem { get; init; }

    /// <summary>The file system's label; null if it has none.</summary>
    public string? Label { get; init; }

    /// <summary>The file system's UUID; null if it has none.</summary>
    public string? Uuid { get; init; }

    /// <summary>Bytes that are used in the file system; null if it wasn't read.</summary>
    public long? Used { get; init; }

    /// <summary>Bytes that are free in it; null if it wasn't read.</summary>
    public long? Free { get; init; }

    /// <summary>Why what is on it wasn't read; null if it was, or if there is nothing to read.</summary>
    public string? Unread { get; init; }
}

/// <summary>An operating system.</summary>
internal sealed record SystemFacts
{
    /// <summary>The volume that it is on.</summary>
    public required string Volume { get; init; }

    /// <summary>The folder there that is its root: `/`, `/@rootfs`.</summary>
    public required string Folder { get; init; }

    /// <summary>Its name, as os-release has it.</summary>
    public required string Name { get; init; }

    /// <summary>Its name for programs, as os-release has it: `debian`; empty if it has none.</summary>
    public required string Id { get; init; }

    /// <summary>Its version, as os-release has it; empty if it has none.</summary>
    public required string Version { get; init; }

    /// <summary>The host name; empty if it has none.</summary>
    public required string HostName { get; init; }

    /// <summary>The machine-id: `set`, `empty` (made at the next boot), `uninitialized` (the same, as a first boot) or `absent`.</summary>
    public required string MachineId { get; init; }

    /// <summary>Its kernels' files.</summary>
    public required ImmutableArray<string> Kernels { get; init; }

    /// <summary>The accounts that somebody can log in to.</summary>
    public required ImmutableArray<AccountFacts> Accounts { get; init; }

    /// <summary>The accounts that its first boot will make, as the configuration on the disk says; empty where it doesn't, or can't be understood.</summary>
    public required ImmutableArray<AccountFacts> FirstBootAccounts { get; init; }

    /// <summary>The SSH server's host keys: type and fingerprint, as `ssh-keygen -l` prints it.</summary>
    public required ImmutableArray<string> SshHostKeys { get; init; }

    /// <summary>Files that a seed or an installer's configuration left behind, for later boots or by accident. What is in them isn't told.</summary>
    public required ImmutableArray<string> Seed { get; init; }

    /// <summary>Files with the random generator's saved state.</summary>
    public required ImmutableArray<string> RandomSeed { get; init; }

    /// <summary>Where it swaps to: volumes and files.</summary>
    public required ImmutableArray<string> Swap { get; init; }

    /// <summary>How many packages dpkg, apk or rpm know in it; null if it has no package database that can be read.</summary>
    public int? PackageCount { get; init; }

    /// <summary>These packages, for the list beside the images; null if they aren't known.</summary>
    internal ImmutableArray<PackageFacts>? Packages { get; init; }
}

/// <summary>An account.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Password">What kind of password it has: `none`, `locked`, `empty`, or its hash's kind, such as `sha512`; `set` where only that is known.</param>
/// <param name="Keys">How many public keys can log in.</param>
internal sealed record AccountFacts(string Name, string Password, int Keys)
{
    /// <summary>Its shell; empty if that isn't known.</summary>
    public string Shell { get; init; } = "";

    /// <summary>The last day on which the password can be used; null if it has no end.</summary>
    public DateOnly? PasswordEnds { get; init; }

    /// <summary>The day from which on nobody can log in any more; null if there is none.</summary>
    public DateOnly? AccountEnds { get; init; }

    /// <summary>Whether its password opens it.</summary>
    internal bool HasPassword => Password is not ("none" or "locked");
}

/// <summary>Something on a disk that its user should know.</summary>
/// <param name="Rule">What it is about, in lower case with dashes: `machine-id`.</param>
/// <param name="Gravity">`warning`, or `note` for what is right in many cases.</param>
/// <param name="What">What was found, as a sentence without a full stop.</param>
/// <param name="Where">Where: a file and its volume.</param>
/// <param name="Remedy">A way out, as an imperative; null if nothing is to be done.</param>
internal sealed record DiskFinding(string Rule, string Gravity, string What, string Where, string? Remedy)
{
    /// <summary>The gravity of what clones of the disk suffer from, or their users.</summary>
    public const string Warning = "warning";

    /// <summary>The gravity of what is right in many cases.</summary>
    public const string Note = "note";

    /// <summary>The finding in one line.</summary>
    internal string ToWarning() => $"{What} ({Where}){(Remedy is null ? "" : $". To mend it: {Remedy}")}";
}

/// <summary>What was tidied.</summary>
/// <param name="Step">The step: `logs`.</param>
/// <param name="Path">The file, or the folder whose files it was.</param>
/// <param name="Files">How many files were removed or emptied.</param>
/// <param name="Bytes">About how many bytes they had.</param>
internal sealed record TidiedPart(string Step, string Path, long Files, long Bytes);
