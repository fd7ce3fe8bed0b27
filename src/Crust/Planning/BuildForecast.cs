using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Disks;
using Crust.Formats;
using Crust.Images;
using Crust.Seeds;
using Crust.Spec;
using Crust.Verification;

namespace Crust.Planning;

public enum Need
{
    None,

    /// <summary>It works without, only not as well.</summary>
    Wanted,

    /// <summary>It fails without.</summary>
    Required,
}

/// <summary>What a build will have to do, as far as that is known at once.</summary>
internal sealed record BuildForecast
{
    /// <summary>The images' base name.</summary>
    public required string Name { get; init; }

    /// <summary>The build key; null if it isn't known before the ISO is there.</summary>
    public string? Key { get; init; }

    /// <summary>The family of systems that the seed is composed for; null if nobody knows.</summary>
    public SeedProfile? Profile { get; init; }

    /// <summary>The size in bytes of the installer or the base image, perhaps only about; null if it isn't known before it is downloaded.</summary>
    public required long? SourceSize { get; init; }

    /// <summary>About how many bytes it leaves on the disk; null where only its size tells.</summary>
    public long? SourceData { get; init; }

    /// <summary>About the size of the seed while the installer runs, in bytes: the user's files, and a copy of the ISO where they are put into one.</summary>
    public long SeedSize { get; init; }

    /// <summary>Whether the reference installer has to be built.</summary>
    public bool BuildsReference { get; init; }

    /// <summary>Whether the installer that the spec describes has to be made first.</summary>
    public bool MakesInstaller { get; init; }

    /// <summary>Whether a root file system has to be put onto a disk.</summary>
    public bool LaysOut { get; init; }

    /// <summary>How much the build needs Crust's own live system, and it has to be built.</summary>
    public Need Appliance { get; init; }

    /// <summary>Whether it is known if the installed disk is cached. It isn't before the ISO's checksum is.</summary>
    public bool IsCacheKnown { get; init; }

    /// <summary>What the cached installed disk occupies, in bytes; null if there is none, as far as is known.</summary>
    public long? CachedDisk { get; init; }

    /// <summary>The cache in a registry that the build will ask for the disk and its images, as people write it; null if there is none, or nothing to ask for.</summary>
    public string? SharedCache { get; init; }

    public required ImmutableArray<IImageFormat> ToWrite { get; init; }

    /// <summary>The proof of the images that is asked for; null for none.</summary>
    internal ExpectedProof? Proof { get; init; }
}

/// <summary>Finds out what a build will have to do.</summary>
internal sealed class Forecaster(SourceLibrary sources, ApplianceBuilder appliance, DiskStore disks, ImageWriter writer, ImagesFolder shelf)
{
    /// <summary>Looks at the cache and the images; fetches, builds and changes nothing.</summary>
    /// <exception cref="CrustException">The spec can't be built anywhere: its files are missing or wrong, or its installer doesn't fit its machine.</exception>
    public BuildForecast Of(BuildSpec spec) => Of(spec, isMade: false);

    /// <summary>The same for images that another machine may have made: whose secrets this one can't tell apart, it takes for the right ones.</summary>
    public BuildForecast OfMade(BuildSpec spec) => Of(spec, isMade: true);

    private BuildForecast Of(BuildSpec spec, bool isMade)
    {
        var files = SeedFiles.Read(spec.Seed);
        var glance = sources.Glance(spec);
        var target = BuildTarget.Of(spec, files, glance, disks.LocalKey.Find);
        var (name, key, keys) = (target.Name, target.Key, target.Keys);
        var forecast = new BuildForecast
        {
            Name = name,
            Key = key,
            Profile = spec.Seed.Profile ?? sources.ProfileOf(spec),
            SourceSize = glance.Size,
            SourceData = glance.Origin?.Data,
            SeedSize = files.SizeWith(spec, glance.Size ?? 0),
            BuildsReference = spec.IsReference && glance.Origin is null,
            MakesInstaller = spec.Installer.Built is { HasBase: true } && glance.Origin is null,
            // What isn't built yet has no disk, in all likelihood.
            IsCacheKnown = key is not null || spec.IsReference,
            CachedDisk = keys is null ? null : disks.FindAllocated(keys.Local),
            ToWrite = ImagePlan.For(target, shelf.FindIntact(name), writer, isMade).ToWrite,
            Proof = target.Proof,
        };
        forecast = forecast with { LaysOut = spec.Base.IsRoot && forecast.CachedDisk is null && !forecast.ToWrite.IsEmpty };
        return forecast with
        {
            Appliance = NeedOfAppliance(spec, forecast),
            SharedCache = spec.Cache is { } repository && forecast.CachedDisk is null && !forecast.ToWrite.IsEmpty && keys is null or { IsShareable: true } ? $"oci://{repository}" : null,
        };
    }

    private Need NeedOfAppliance(BuildSpec spec, BuildForecast forecast)
    {
        var need = forecast.BuildsReference || forecast.MakesInstaller || forecast.LaysOut || forecast.ToWrite.Any(format => format.NeedsOf(spec).TakesAppliance) ? Need.Required
            : NeedOfDisk(spec) is var wanted && forecast.CachedDisk is null && !forecast.ToWrite.IsEmpty ? wanted
            : Need.None;
        return need is Need.None || appliance.IsCached(spec.Machine.Arch) ? Need.None : need;
    }

    /// <summary>How much its disk's layers and care need the appliance.</summary>
    internal static Need NeedOfDisk(BuildSpec spec) => spec.Tidy is { IsEmpty: false } || !spec.AllLayers.IsEmpty ? Need.Required
        : spec.Trim || spec.Inspect || (spec.Tidy is null && spec.IsReference) ? Need.Wanted
        : Need.None;
}
