using System.Collections.Immutable;
using System.Globalization;
using Crust.Registries;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Content;

/// <summary>Brings images from registries into the cache.</summary>
/// <param name="tools">Needs skopeo.</param>
/// <param name="observer">Hears of progress, and which digest a tag stands for.</param>
internal sealed class ImagePuller(ToolBox tools, string cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    public BlobStore Blobs { get; } = new(cache);

    /// <summary>Asks what a plan's images consist of.</summary>
    /// <exception cref="CrustException">A registry doesn't tell, or has no such image; or skopeo is missing.</exception>
    public async Task<ImmutableArray<ResolvedImage>> ResolveAsync(ContentPlan plan, CancellationToken cancellation)
    {
        if (plan.Images.IsEmpty)
        {
            return [];
        }

        tools.Require(Skopeo.Program);
        using var scratch = new ScratchFolder(cache);
        var resolver = new ImageResolver(RegistriesOf(plan, scratch.Path));
        var resolved = ImmutableArray.CreateBuilder<ResolvedImage>();
        foreach (var image in plan.Images)
        {
            Report((double)resolved.Count / plan.Images.Length, $"asking for {image.Name}");
            var made = await resolver.ResolveAsync(image, plan.SourceOf(image), cancellation);
            resolved.Add(made);
            if (image.Name.Sha256 is null)
            {
                observer.Observe(new BuildEvent.Noted($"{image.Name} is {image.Name}@{made.Target.Digest} now; name it so to pack the same image each time"));
            }
        }

        return resolved.ToImmutable();
    }

    /// <summary>Pulls what isn't in the cache yet.</summary>
    /// <exception cref="CrustException">A registry doesn't give it.</exception>
    public async Task PullAsync(ContentPlan plan, ImmutableArray<ResolvedImage> images, CancellationToken cancellation)
    {
        Blobs.Create();
        using var scratch = new ScratchFolder(cache);
        var registries = RegistriesOf(plan, scratch.Path);
        var (total, done) = (Blobs.Missing(Bundle.LayersOf(images)).Sum(blob => blob.Size), 0L);
        foreach (var (image, platform) in images.SelectMany(image => image.Platforms.Select(platform => (image, platform))))
        {
            if (Blobs.Missing(platform.Layers) is not { IsEmpty: false } missing)
            {
                continue;
            }

            Blobs.Remove(missing);
            var from = image.Source.With(platform.Manifest.Digest);
            var length = missing.Sum(blob => blob.Size);
            try
            {
                var shown = $"pulling {image.Source}, {platform.Arch.LowerName()}";
                await registries(from.Registry).PullBlobsAsync(from, Blobs.Folder, moved => Report((double)(done + Math.Min(moved, length)) / total, shown), cancellation);
            }
            catch (RegistryException e)
            {
                throw ContentFaults.At(e, image.Image.Where);
            }

            done += length;
            if (Blobs.Missing(platform.Layers) is [var absent, ..])
            {
                throw new RegistryException(RegistryFault.Altered,
                    $"The registry {from.Registry} didn't give the blob {absent.Digest} of {absent.Size.ToString(CultureInfo.InvariantCulture)} bytes that the image consists of",
                    $"{image.Image.Where}: {from}", "push the image again, and leave layers out that aren't distributed with it");
            }
        }
    }

    private Func<string, Registry> RegistriesOf(ContentPlan plan, string scratch)
    {
        var known = new Dictionary<string, Registry>(StringComparer.Ordinal);
        return host =>
        {
            if (!known.TryGetValue(host, out var registry))
            {
                var how = plan.ConnectionTo(host);
                known[host] = registry = new Registry(new Skopeo(tools, how, scratch, time), how, FirstWait, observer, time);
            }

            return registry;
        };
    }

    private void Report(double fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Content, null, fraction, detail));
}
