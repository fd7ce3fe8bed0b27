using System.Collections.Immutable;
using Crust.Disks;
using Crust.Inspection.Rules;
using Crust.Spec;

namespace Crust.Inspection;

/// <summary>
/// Looks for what an installer of a known family leaves behind when it has installed something. A power-off alone proves nothing.
/// </summary>
internal static class InstallMarks
{
    // kairos-agent and elemental-toolkit, pkg/constants: labels, and names of partitions. An encrypted one has its partition's name alone.
    private static readonly ImmutableArray<(string Label, string Partition)> Partitions = [("COS_STATE", "state"), ("COS_OEM", "oem"), ("COS_PERSISTENT", "persistent")];

    /// <summary>What is missing, in words; empty if nothing is, or if nobody knows what there should be.</summary>
    public static ImmutableArray<string> Missing(DiskInspection disk, SeedProfile? profile) => profile switch
    {
        SeedProfile.Kairos or SeedProfile.Stylus or SeedProfile.Elemental => [.. MissingPartitions(disk)],
        SeedProfile.Debian => [.. MissingSystem(disk)],
        _ => [],
    };

    /// <summary>Checks that something was installed.</summary>
    /// <param name="profile">The installer's family; null if nobody knows.</param>
    /// <param name="path">Where the disk is, for messages.</param>
    /// <returns>What seems to be missing and isn't certain to be, as a warning; null if all is well.</returns>
    /// <exception cref="CrustException">What each disk of this family has is missing.</exception>
    public static string? Check(DiskInspection disk, SeedProfile? profile, string path)
    {
        var missing = Missing(disk, profile);
        if (!missing.IsEmpty && disk.Volumes.All(volume => volume.Unread is null))
        {
            throw new CrustException(FailureKind.GuestFailed, $"The installer powered off without having installed {Name(profile)}: the disk lacks {string.Join(", ", missing)}", path,
                "read the serial log: the installer may have found no seed, or failed; if it isn't of that family, set seed.profile, and inspect: false leaves this check out")
            {
                Detail = string.Join('\n', Holds(disk)),
            };
        }

        // What can't be read may hold it.
        return !missing.IsEmpty ? $"The disk seems to lack {string.Join(", ", missing)}, but not all of it could be read"
            : profile is null && disk.Systems.IsEmpty && !disk.Volumes.Any(volume => volume.Unread is not null)
                ? "No operating system was found on the installed disk; what its installer leaves isn't known, so it may be one that Crust can't read"
            : null;
    }

    /// <summary>What a disk holds, in a line for each volume.</summary>
    public static IEnumerable<string> Holds(DiskInspection disk) => disk.Volumes.Select(volume =>
            $"{volume.Name}{(volume.PartitionName is { } name ? $" ({name})" : "")}: {volume.FileSystem ?? "nothing known"}{(volume.Label is { } label ? $" '{label}'" : "")}, "
                + $"{Size.Format(volume.Size)}{(volume.Unread is { } unread ? $"; {unread}" : "")}")
        .DefaultIfEmpty("the disk holds no partition and no file system")
        .Prepend($"the disk holds {disk.Describe()}:");

    private static IEnumerable<string> MissingPartitions(DiskInspection disk)
    {
        foreach (var (label, partition) in Partitions)
        {
            // Under Trusted Boot, the system is a UEFI program, and there is no partition for it.
            if (!disk.Volumes.Any(volume => volume.Label == label || (volume.FileSystem == "crypto_LUKS" && volume.PartitionName == partition))
                && !(label == "COS_STATE" && disk.Boot.Uefi.Any(BootRules.IsKernelProgram)))
            {
                yield return $"a file system labelled {label}";
            }
        }
    }

    private static IEnumerable<string> MissingSystem(DiskInspection disk)
    {
        if (disk.Systems.All(system => system.Kernels.IsEmpty) && disk.Boot.Kernels.IsEmpty && !disk.Boot.Uefi.Any(BootRules.IsKernelProgram))
        {
            yield return "a kernel";
        }

        if (disk.Boot is { Bios: null, Uefi: [] })
        {
            yield return "a boot loader";
        }
    }

    private static string Name(SeedProfile? profile) => profile switch
    {
        SeedProfile.Kairos => "Kairos",
        SeedProfile.Stylus => "stylus",
        SeedProfile.Elemental => "Elemental",
        _ => "a system",
    };
}
