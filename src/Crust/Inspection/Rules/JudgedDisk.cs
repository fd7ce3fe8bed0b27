using System.Collections.Immutable;
using Crust.Disks;
using Crust.Inspection.Evidence;

namespace Crust.Inspection.Rules;

/// <param name="Facts">The facts, without findings.</param>
/// <param name="Systems">What is known of systems, in the order of the facts.</param>
/// <param name="Today">The day by which passwords are judged.</param>
internal sealed record JudgedDisk(DiskInspection Facts, ImmutableArray<VolumeEvidence> Volumes, ImmutableArray<SystemEvidence> Systems, DateOnly Today)
{
    public IEnumerable<(SystemEvidence System, SystemFacts Facts)> All => Systems.Zip(Facts.Systems);

    /// <summary>Whether a Raspberry Pi's firmware finds something on it, which needs neither boot code nor UEFI.</summary>
    public bool IsForPi => Volumes.Any(volume => volume.Board is not null);

    /// <summary>Whether accounts and more are made anew at each boot, by a configuration that lies beside the system, as Kairos and Elemental have it.</summary>
    public bool IsConfiguredAtBoot => Facts.Volumes.Any(volume => volume.Label == "COS_OEM" || volume.PartitionName == "oem");
}

internal static class DiskRules
{
    private static readonly ImmutableArray<Func<JudgedDisk, IEnumerable<DiskFinding>>> Rules = [CloneRules.Check, AccountRules.Check, BootRules.Check, RaspberryPiRules.Check];

    /// <summary>All findings, warnings first.</summary>
    public static ImmutableArray<DiskFinding> Judge(JudgedDisk disk) =>
        [.. Rules.SelectMany(rule => rule(disk)).Distinct().OrderByDescending(finding => finding.Gravity == DiskFinding.Warning)];

    public static DiskFinding Warn(string rule, string what, string where, string? remedy) => new(rule, DiskFinding.Warning, what, where, remedy);

    public static DiskFinding Note(string rule, string what, string where, string? remedy = null) => new(rule, DiskFinding.Note, what, where, remedy);

    /// <summary>Files and the volume that they are on, for people.</summary>
    public static string At(SystemFacts system, params IReadOnlyList<string> files) =>
        $"{string.Join(", ", files.Take(3))}{(files.Count > 3 ? $" and {files.Count - 3} more" : "")} on {system.Volume}";
}
