using Crust.Planning;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Host;

/// <summary>Whether the file systems of cache and images have room for what a build makes. All needs are estimates.</summary>
internal sealed class SpaceCheck(Folders folders, Func<string, FolderSpace> look) : IHostCheck
{
    public Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Finding>>([.. Find(question.Forecast, question.Spec)]);

    /// <summary>What there is to say of a build's space.</summary>
    public IEnumerable<Finding> Find(BuildForecast forecast, BuildSpec spec)
    {
        FolderSpace cache, images;
        try
        {
            (cache, images) = (look(folders.Cache), look(folders.Images));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new Finding("space", "space", Gravity.Note, $"The free space can't be determined: {e.Message}")];
        }

        var shared = cache.Device == images.Device;
        if (SpaceEstimate.Of(forecast, spec, shared, images.Clones) is not { } need)
        {
            return [new Finding("space", "space", Gravity.Note,
                $"What is needed isn't known before the ISO is downloaded: about four times its size and 512 MiB; {Size.Format(cache.Free)} are free") { Where = folders.Cache }];
        }

        if (forecast.ToWrite.IsEmpty)
        {
            return [new Finding("space", "space", Gravity.Fine, "none needed: the images are up to date")];
        }

        // Before the ISO's checksum is known, the disk may be cached after all, or a registry may have it; and where it is, a try costs seconds.
        var isEstimate = !forecast.IsCacheKnown || forecast.CachedDisk is not null || forecast.SharedCache is not null;
        const string clean = "for instance with 'crust clean'";
        var list = string.Join(", ", forecast.ToWrite.Select(format => format.Name));
        return shared
            ? [Judge("disk, images", what: forecast.CachedDisk is not null ? "images" : "installed disk and the images", need.Cache + need.Images, cache.Free, folders.Images,
                $"{clean}, or choose another file system with CRUST_CACHE or --output", $"for {(forecast.CachedDisk is null ? "the installed disk and " : "")}{list}", isEstimate)]
            :
            [
                forecast.CachedDisk is not null
                    ? new Finding("space", "disk", Gravity.Fine, "none needed: the installed disk is cached")
                    : Judge("disk", "installed disk", need.Cache, cache.Free, folders.Cache, $"{clean}, or set CRUST_CACHE to another file system", "for the installed disk", isEstimate),
                Judge("images", "images", need.Images, images.Free, folders.Images, "or choose another folder with --output", $"for {list}", isEstimate),
            ];
    }

    private static Finding Judge(string name, string what, long needed, long free, string where, string remedy, string use, bool isEstimate) => needed == 0
        ? new Finding("space", name, Gravity.Fine, "none needed: the images share the installed disk's blocks") { Where = where }
        : free >= needed
        ? new Finding("space", name, Gravity.Fine, $"about {Size.Format(needed)} needed {use}; {Size.Format(free)} free") { Where = where }
        : new Finding("space", name, Gravity.Problem, $"There is too little space for the {what}: about {Size.Format(needed)} are needed, {Size.Format(free)} are free")
        {
            Where = where,
            Remedy = $"free {Size.Format(needed - free)}, {remedy}",
            IsEstimate = isEstimate,
        };
}
