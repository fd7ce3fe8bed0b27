using System.Collections.Immutable;
using System.Globalization;
using Crust.Seeds.Documents;

namespace Crust.Seeds.Checks;

/// <summary>A volume group whose logical volumes need more than its physical volumes have.</summary>
/// <param name="Needed">What they need in bytes.</param>
/// <param name="Had">What it has in bytes.</param>
/// <param name="Place">The logical volume with which it is too much.</param>
internal sealed record OverfullGroup(long Needed, long Had, Place Place);

/// <summary>
/// What a kickstart file asks of the disks: `part`, `volgroup` and `logvol` with their sizes in MiB, `ignoredisk`. Files that it includes can only ask for more; so can
/// `autopart` and `reqpart`, whose sizes depend on Anaconda's version.
/// </summary>
internal sealed class KickstartStorage
{
    private static readonly string[] OfExisting = ["--noformat", "--useexisting", "--resize"];

    private readonly ImmutableArray<string> _only;
    private readonly ImmutableArray<string> _ignored;
    private readonly ImmutableArray<string> _cleared;
    private readonly bool _hasOtherDisks;

    private KickstartStorage(KickstartFile file)
    {
        _hasOtherDisks = file.Commands.Any(command => InstallerDisks.Adapters.Contains(command.Name));
        var ignore = file.Commands.LastOrDefault(command => command.Name == "ignoredisk");
        (_only, _ignored) = (Names(ignore?.Option("--only-use")), Names(ignore?.Option("--drives")));
        _cleared = Names(file.Commands.LastOrDefault(command => command.Name == "clearpart")?.Option("--drives"));

        ImmutableArray<KickstartCommand> parts = [.. file.Commands.Where(command => command.Name is "part" or "partition" && IsNew(command))];
        var demands = ImmutableArray.CreateBuilder<DiskDemand>();
        var overfull = ImmutableArray.CreateBuilder<OverfullGroup>();
        foreach (var part in parts)
            demands.Add(DiskDemand.Of(DiskOf(part), SizeOf(part), 1 << 20, part.Place));
        foreach (var group in file.Commands.Where(command => command.Name == "volgroup"))
            AddGroup(file, parts, group, demands, overfull);
        OnAnyDisk = file.Commands.FirstOrDefault(command => command.Name == "autopart" || (parts.Contains(command) && DiskOf(command) is null))?.Place;
        (Demands, Overfull) = (demands.ToImmutable(), overfull.ToImmutable());
    }

    /// <summary>The room that it asks for, disk by disk.</summary>
    public ImmutableArray<DiskDemand> Demands { get; }

    /// <summary>Volume groups of fixed size that are too small for their volumes.</summary>
    public ImmutableArray<OverfullGroup> Overfull { get; }

    /// <summary>Where the file first has something installed without saying on which disk; null for nowhere.</summary>
    public Place? OnAnyDisk { get; }

    /// <summary>Whether `clearpart` names one disk alone: a disk without a partition table that isn't named gets none, and so nothing.</summary>
    public bool ClearsOnly(string disk) => _cleared is [var only] && only == disk;

    public static KickstartStorage Of(KickstartFile file) => new(file);

    /// <summary>Of the machine's disks, those that Anaconda may install to; none if it gets disks from elsewhere, too.</summary>
    public ImmutableArray<(string Name, long Size)> Usable(ImmutableArray<(string Name, long Size)> disks) => _hasOtherDisks ? [] :
        // With a name that isn't one of these (a pattern, by-id), nobody knows which it is.
        _only.Any(name => disks.All(disk => disk.Name != name)) ? disks
        : [.. disks.Where(disk => (_only.IsEmpty || _only.Contains(disk.Name)) && !_ignored.Contains(disk.Name))];

    private static void AddGroup(
        KickstartFile file, ImmutableArray<KickstartCommand> parts, KickstartCommand group, ImmutableArray<DiskDemand>.Builder demands, ImmutableArray<OverfullGroup>.Builder overfull)
    {
        ImmutableArray<string> words = [.. group.Arguments.Where(argument => !argument.StartsWith('-'))];
        List<KickstartCommand> members = [.. parts.Where(part => words.Skip(1).Any(word => part.Arguments.Contains(word)))];
        // A member that isn't a new partition (of a RAID, one that is there already) has a size of its own.
        if (words.IsEmpty || members.Count == 0 || members.Count != words.Length - 1 || !IsNew(group))
            return;

        var (had, isGrowing) = (members.Sum(SizeOf), members.Any(member => member.Arguments.Contains("--grow")));
        var needed = 0L;
        foreach (var volume in file.Commands.Where(command => command.Name == "logvol" && command.Option("--vgname") == words[0] && IsNew(command) && !command.Arguments.Contains("--thin")))
        {
            needed += SizeOf(volume);
            if (needed <= had)
                continue;
            if (!isGrowing)
            {
                // blivet checks that of groups that don't grow: "new lv is too large to fit in free space".
                overfull.Add(new OverfullGroup(needed << 20, had << 20, volume.Place));
                return;
            }

            var disks = members.Select(DiskOf).Distinct().ToList();
            demands.Add(DiskDemand.Of(disks.Count == 1 ? disks[0] : null, needed - had, 1 << 20, volume.Place));
            had = needed;
        }
    }

    // Anaconda decides the size of swap with --recommended or --hibernation.
    private static long SizeOf(KickstartCommand command) => !command.Arguments.Contains("--recommended") && !command.Arguments.Contains("--hibernation")
        && long.TryParse(command.Option("--size")?.Trim().Replace("_", "", StringComparison.Ordinal), NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? Math.Min(size, 1L << 26) : 0;

    // What uses or changes something that is there already takes no further room.
    private static bool IsNew(KickstartCommand command) => !command.Arguments.Any(OfExisting.Contains) && command.Option("--onpart") is null && command.Option("--usepart") is null;

    private static string? DiskOf(KickstartCommand part) => Names(part.Option("--ondisk") ?? part.Option("--ondrive")) is [var name] ? name : null;

    private static ImmutableArray<string> Names(string? value) => value is null ? [] :
        [.. value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(name => name.StartsWith('/') ? name : $"/dev/{name}")];
}
