using System.Collections.Immutable;
using Crust.Disks;
using Crust.Spec;

namespace Crust.Inspection;

/// <summary>What is to be done with an installed disk before anything is made of it.</summary>
/// <param name="Disk">The raw disk. Nobody else uses it.</param>
/// <param name="Accelerator">What runs guests of that architecture, as the probe chose it.</param>
internal sealed record DiskWork(string Disk, Arch Arch, Accelerator Accelerator)
{
    /// <summary>A private folder for what the work needs meanwhile.</summary>
    public string Folder { get; init; } = Path.GetDirectoryName(Disk)!;

    public ImmutableArray<TidyStep> Tidy { get; init; } = [];

    /// <summary>Whether a disk that can't be tidied is of no use, since the user asked for it.</summary>
    public bool MustTidy { get; init; }

    public bool Inspect { get; init; }

    /// <summary>Whether free space is discarded.</summary>
    public bool Trim { get; init; }

    /// <summary>The family of systems that was installed, whose marks are looked for; null if nobody knows.</summary>
    public SeedProfile? Profile { get; init; }

    public bool IsAny => Inspect || Trim || !Tidy.IsEmpty;

    /// <summary>What is to be done, in a few words.</summary>
    public string Describe() => string.Join(", ", Words());

    public static DiskWork Of(BuildSpec spec, DiskOrigin origin, string disk, Accelerator accelerator) => new(disk, spec.Machine.Arch, accelerator)
    {
        Tidy = TidyOf(spec, origin.IsReference),
        MustTidy = spec.Tidy is not null,
        Inspect = spec.Inspect,
        Trim = spec.Trim && !(origin.LeavesFreeSpaceClean && spec.Layers.IsEmpty),
        Profile = spec.Seed.Profile ?? origin.Profile,
    };

    /// <summary>
    /// What is tidied on the disk of an installer. The reference system is tidied of all but its seed: that makes its accounts on the first boot. A vendor's image is
    /// left as it is unless the user says otherwise.
    /// </summary>
    public static ImmutableArray<TidyStep> TidyOf(BuildSpec spec, bool isReference) =>
        spec.Tidy ?? (isReference ? [.. Enum.GetValues<TidyStep>().Where(step => step is not TidyStep.Seed)] : []);

    private IEnumerable<string> Words()
    {
        if (!Tidy.IsEmpty)
        {
            yield return "tidying";
        }

        if (Inspect)
        {
            yield return "looking at what is on it";
        }

        if (Trim)
        {
            yield return "discarding free space";
        }
    }
}

/// <param name="Inspection">What is on the disk; null if it wasn't looked at, or couldn't be.</param>
/// <param name="TrimmedBytes">Bytes that the disk occupies less on the host; null if free space wasn't discarded, or couldn't be.</param>
internal sealed record DiskWorked(DiskInspection? Inspection, ImmutableArray<TidiedPart> Tidied, long? TrimmedBytes)
{
    internal static DiskWorked Nothing { get; } = new(null, [], null);

    /// <summary>What the user should be warned of.</summary>
    internal IEnumerable<string> Warnings => Inspection?.Warnings.Select(finding => $"the disk: {finding.ToWarning()}") ?? [];

    public string Describe()
    {
        string?[] parts =
        [
            Inspection?.Describe(),
            Inspection is null ? null : Inspection.Warnings.Count() switch { 0 => null, 1 => "1 warning", var count => $"{count} warnings" },
            Tidied.IsEmpty ? null : $"{Tidied.Sum(part => part.Files)} files tidied",
            TrimmedBytes is { } bytes ? $"{Size.Format(bytes)} less to ship" : null,
        ];
        return string.Join(", ", parts.OfType<string>().DefaultIfEmpty("left as it is"));
    }
}
