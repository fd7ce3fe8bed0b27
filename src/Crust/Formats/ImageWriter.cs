using System.Collections.Immutable;
using System.Runtime.ExceptionServices;
using Crust.Disks;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Formats;

/// <summary>Images that were finished before others failed.</summary>
internal sealed record FinishedDrafts(ImmutableArray<DraftImage> Images);

/// <summary>An image that is whole but doesn't have its final name yet.</summary>
/// <param name="Path">Where it is now.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex; null if its block map stands in for it.</param>
/// <param name="Recipe">What decided it beside the disk.</param>
internal sealed record DraftImage(IImageFormat Format, string Path, long Size, string? Sha256, string Recipe)
{
    /// <summary>The library that compressed it, with its version; null if none did, or whoever made it didn't say.</summary>
    public string? Library { get; init; }

    /// <summary>The path of its block map; null if it has none.</summary>
    public string? BlockMap { get; init; }

    /// <summary>Where it was pulled from; null if it was written here.</summary>
    public ReusedImage? Reused { get; init; }
}

/// <summary>An image that another machine has made.</summary>
/// <param name="From">The registry's name and digest of it.</param>
/// <param name="Verified">How it was proven to boot; null if it wasn't.</param>
internal sealed record ReusedImage(string From, ManifestProof? Verified);

/// <summary>Writes images of one installed disk, side by side.</summary>
internal sealed class ImageWriter(FormatServices services, IBuildObserver observer)
{
    /// <summary>What decides an image of that format beside the installed disk.</summary>
    /// <exception cref="CrustException">The format can't be written for this spec.</exception>
    public string RecipeOf(IImageFormat format, BuildSpec spec) => format.RecipeOf(spec, services);

    /// <summary>
    /// The library of this host that compresses an image of that format, with its version; null if none does. It isn't part of the recipe, by which images are found in
    /// registries: a host with another version would find none there, and plan them again and again.
    /// </summary>
    public static string? LibraryOf(IImageFormat format, BuildSpec spec) =>
        format.NeedsOf(spec).Libraries is { Length: > 0 } libraries ? string.Join(", ", libraries.Select(library => library.Identity)) : null;

    /// <summary>
    /// Writes each format into the draft folder. What formats need beside (the qcow2 in a containerDisk) is made there once, and removed
    /// if it isn't among them. If one fails, the others are finished all the same: the error has them as <see cref="FinishedDrafts"/>.
    /// </summary>
    /// <exception cref="CrustException">A format failed, or there is no space.</exception>
    public async Task<ImmutableArray<DraftImage>> WriteAsync(
        InstalledDisk disk, IReadOnlyCollection<IImageFormat> formats, string name, BuildSpec spec, DraftFolder drafts, CancellationToken cancellation)
    {
        using var cores = CoreShare.OfHost();
        var needs = new SpaceNeeds();
        var parts = new ImageParts(async (format, parts) =>
        {
            var path = Path.Combine(drafts.Path, name + format.Extension);
            try
            {
                var request = new FormatRequest(disk, path, services.Tools, fraction =>
                {
                    needs.Note(path, fraction);
                    observer.Observe(new BuildEvent.Progressed(Stage.Formats, format.Name, fraction, ""));
                })
                {
                    Name = name,
                    Spec = spec,
                    Appliance = services.Appliance,
                    Roots = services.Roots,
                    Cores = cores,
                    Parts = parts,
                };
                return await WriteAsync(format, request, isKept: formats.Contains(format), cancellation);
            }
            catch (Exception e) when (e is IOException || NoSpace.IsReasonOf(e))
            {
                var reason = NoSpace.IsReasonOf(e) ? $"no space is left, and about {Size.Format(needs.Missing())} more are needed" : e.Message;
                // What others need to be finished.
                File.Delete(path);
                throw new CrustException(FailureKind.InputOutput, $"The {format.Name} image couldn't be written: {reason}", path,
                    "free space in the images folder, or choose another with --output; the installed disk is cached, so nothing is installed again", e);
            }
        });

        var wanted = formats.Select(format => parts.GetAsync(format.Name)).ToList();
        var all = await parts.EndAsync();
        cancellation.ThrowIfCancellationRequested();
        ImmutableArray<DraftImage> images = [.. wanted.Where(task => task.IsCompletedSuccessfully).Select(task => task.Result)];
        foreach (var part in all.Where(task => task.IsCompletedSuccessfully).Select(task => task.Result).Except(images))
        {
            File.Delete(part.Path);
        }

        if (all.Select(task => task.Exception?.InnerException).FirstOrDefault(error => error is not null) is { } failure)
        {
            if (failure is CrustException known && !images.IsEmpty)
            {
                known.Add(new FinishedDrafts(images));
            }

            ExceptionDispatchInfo.Throw(failure);
        }

        return images;
    }

    private async Task<DraftImage> WriteAsync(IImageFormat format, FormatRequest request, bool isKept, CancellationToken cancellation)
    {
        request.Progress(0);
        var (sha256, map) = await format.WriteAsync(request, cancellation);
        request.Progress(1);
        var blockMap = map is not null && isKept ? request.Path + BmapFile.Extension : null;
        if (blockMap is not null)
        {
            BmapFile.Write(map!, blockMap);
        }

        if (isKept)
        {
            // Here, where an error is still the format's own.
            WholeFile.Sync(request.Path);
        }

        if (map is null && sha256 is null)
        {
            sha256 = await SparseHash.ComputeAsync(request.Path, cancellation);
        }

        return new DraftImage(format, request.Path, new FileInfo(request.Path).Length, sha256, RecipeOf(format, request.Spec)) { Library = LibraryOf(format, request.Spec), BlockMap = blockMap };
    }
}
