using System.Collections.Immutable;
using Crust.Disks;
using Crust.Spec;

namespace Crust.Formats;

/// <summary>An image that is whole but doesn't have its final name yet.</summary>
/// <param name="Format">Its format.</param>
/// <param name="Path">Where it is now.</param>
/// <param name="Size">Its length in bytes.</param>
/// <param name="Sha256">Its SHA-256 in hex.</param>
/// <param name="Recipe">What decided it beside the disk.</param>
public sealed record DraftImage(IImageFormat Format, string Path, long Size, string Sha256, string Recipe);

/// <summary>Writes images of one installed disk, side by side.</summary>
public sealed class ImageWriter(FormatServices services, IBuildObserver observer)
{
    /// <summary>What decides an image of that format beside the installed disk.</summary>
    /// <exception cref="CrustException">The format can't be written for this spec.</exception>
    public string RecipeOf(IImageFormat format, BuildSpec spec) => format.RecipeOf(spec, services);

    /// <summary>Writes each format into the draft folder. If one fails, the others are cancelled.</summary>
    /// <exception cref="CrustException">A format failed, or there is no space.</exception>
    public async Task<ImmutableArray<DraftImage>> WriteAsync(
        InstalledDisk disk, IReadOnlyCollection<IImageFormat> formats, string name, BuildSpec spec, DraftFolder drafts, CancellationToken cancellation)
    {
        using var failing = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var writing = formats.Select(async format =>
        {
            try
            {
                return await WriteAsync(disk, format, name, spec, drafts, failing.Token);
            }
            catch
            {
                await failing.CancelAsync();
                throw;
            }
        }).ToList();

        try
        {
            return [.. await Task.WhenAll(writing)];
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // One failed and took the others along; its error is the one to tell.
            throw writing.Select(task => task.Exception?.InnerException).First(error => error is not null and not OperationCanceledException)!;
        }
    }

    private async Task<DraftImage> WriteAsync(
        InstalledDisk disk, IImageFormat format, string name, BuildSpec spec, DraftFolder drafts, CancellationToken cancellation)
    {
        var path = Path.Combine(drafts.Path, name + format.Extension);
        void Progress(double fraction) => observer.Observe(new BuildEvent.Progressed(Stage.Formats, format.Name, fraction, ""));
        try
        {
            Progress(0);
            var request = new FormatRequest(disk, path, services.Tools, Progress) { Name = name, Spec = spec, Appliance = services.Appliance };
            var sha256 = await format.WriteAsync(request, cancellation);
            Progress(1);
            Sync(path);
            return new DraftImage(format, path, new FileInfo(path).Length, sha256 ?? await SparseHash.ComputeAsync(path, cancellation), RecipeOf(format, spec));
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The {format.Name} image couldn't be written: {e.Message}", path,
                "free space in the images folder, or choose another with --output; the installed disk is cached, so nothing is installed again", e);
        }
    }

    // Synced before it is renamed: a file under its final name is whole, also after a power cut.
    private static void Sync(string path)
    {
        using var handle = File.OpenHandle(path);
        RandomAccess.FlushToDisk(handle);
    }
}
