using Crust.Formats;
using Crust.Planning;
using Crust.Spec;

namespace Crust.Host;

/// <summary>About how much space a build takes, in bytes. Where the installed disk isn't there yet, its ISO's size is all that is known.</summary>
/// <param name="Cache">In the cache; 0 if nothing has to be made there.</param>
/// <param name="Images">In the images folder.</param>
internal sealed record SpaceEstimate(long Cache, long Images)
{
    // What an installer leaves is usually two to four times its ISO, which is compressed; so is what comes of a compressed base image.
    private const int InstalledPerIso = 3;
    private const long Reserve = 512L << 20;

    // Debian systems compress to a third; less is asked for, since a build that lacks a little says so itself, and loses nothing but seconds.
    private const int DataPerCompressed = 4;

    // Of the reference installer: what stays, and the root's tar file while it is compressed.
    private const long ReferenceStays = 600L << 20;
    private const long Temporary = 900L << 20;

    /// <summary>Estimates it; null if nothing can be said before the installer is there.</summary>
    /// <param name="isShared">Whether cache and images are on one file system.</param>
    /// <param name="clones">Whether files on that can share blocks.</param>
    public static SpaceEstimate? Of(BuildForecast forecast, BuildSpec spec, bool isShared, bool clones)
    {
        if (forecast.ToWrite.IsEmpty)
        {
            return new SpaceEstimate(0, 0);
        }

        if ((forecast.CachedDisk ?? forecast.SourceData ?? (InstalledPerIso * forecast.SourceSize)) is not { } data)
        {
            return null;
        }

        // The disk before each layer stays, and shares its blocks where it can.
        var disk = forecast.CachedDisk is null ? (data * (clones ? 1 : 1 + spec.AllLayers.Length)) + Reserve + forecast.SeedSize : 0;
        var built = (forecast.BuildsReference ? ReferenceStays : 0) + (forecast.Appliance is Need.None ? 0 : Temporary);
        return new SpaceEstimate(forecast.BuildsReference ? ReferenceStays + Math.Max(disk, Temporary) : Math.Max(disk, built), ForImages());

        long ForImages()
        {
            var needs = forecast.ToWrite.Select(format => format.NeedsOf(spec)).ToList();
            // What is wrapped is written once, also for several that wrap it.
            var parts = needs.Select(need => need.Wraps).OfType<string>().Concat(forecast.ToWrite.Select(format => format.Name)).Distinct();
            return parts.Sum(name => ImageFormats.Named(name).NeedsOf(spec).Weight switch
            {
                ImageWeight.Copied => isShared && clones ? 0 : data,
                ImageWeight.Raw => data,
                _ => data / DataPerCompressed,
            }) + (forecast.Proof is null ? 0 : needs.Count(need => need.IsUnpackedToBoot) switch
            {
                0 => 0,
                // Two are compared where there is none that needn't be unpacked.
                1 => data,
                _ => needs.Any(need => !need.IsUnpackedToBoot) ? data : 2 * data,
            });
        }
    }
}
