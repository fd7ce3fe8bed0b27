using System.Collections.Immutable;
using Crust.Events;
using Crust.Formats;
using Crust.Images;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Registries;

/// <param name="cache">The cache's folder: what has to be unpacked is there for a while.</param>
internal sealed class Publisher(ToolBox tools, ImagesFolder shelf, string cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>The wait before something that failed is tried again for the first time.</summary>
    internal TimeSpan FirstWait { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Publishes the images that a spec asks for. What is there already isn't pushed again.</summary>
    /// <param name="name">The images' base name.</param>
    /// <param name="outdated">Formats whose image isn't what the spec asks for any more.</param>
    /// <param name="cancellation">Ends it; what was pushed so far stays, and the next publish goes on from there.</param>
    /// <exception cref="CrustException">An image isn't there, nothing says where to, or a registry refuses it.</exception>
    public async Task<PublishedImages> PublishAsync(BuildSpec spec, string name, IReadOnlyCollection<string> outdated, CancellationToken cancellation)
    {
        var (manifest, images) = Choose(spec, name, outdated);
        var targets = images.Select(image => PublishTarget.Of(spec, ImageFormats.Named(image.Format), name, image.BuildKey)).ToList();
        tools.Require(Skopeo.Program);
        Warn(images);

        using var scratch = new ScratchFolder(cache);
        var registry = new Registry(new Skopeo(tools, spec.Publish, scratch.Path, time), spec.Publish, FirstWait, observer, time);
        var stages = new StageRunner(observer, time);
        var published = ImmutableArray.CreateBuilder<PublishedImage>();
        foreach (var (image, target) in images.Zip(targets))
        {
            published.Add(await stages.RunAsync(Stage.Publish, $"{image.File} to {target.Index}",
                () => new ImagePublisher(registry, shelf, scratch.Path, observer).PublishAsync(image, manifest, target, spec, cancellation),
                done => $"{(done.Pushed ? "pushed" : "already there, nothing pushed:")} {done.Digest}"));
        }

        return new PublishedImages(manifest, published.ToImmutable());
    }

    /// <param name="name">The images' base name.</param>
    /// <param name="buildKey">The build key; null if it isn't known yet.</param>
    /// <exception cref="CrustException">Nothing says where to, or skopeo is missing.</exception>
    public ImmutableArray<PublishTarget> Preview(BuildSpec spec, string name, string? buildKey)
    {
        ImmutableArray<PublishTarget> targets = [.. spec.Formats.Select(format => PublishTarget.Of(spec, ImageFormats.Named(format), name, buildKey))];
        tools.Require(Skopeo.Program);
        return targets;
    }

    private (Manifest Manifest, ImmutableArray<ManifestImage> Images) Choose(BuildSpec spec, string name, IReadOnlyCollection<string> outdated)
    {
        var intact = shelf.FindIntact(name);
        var manifest = shelf.LoadManifest(name) ?? throw NotBuilt($"There is no image of {name}", shelf.ManifestPath(name), spec.Formats);
        foreach (var format in spec.Formats)
        {
            var image = intact.FirstOrDefault(image => image.Format == format)
                ?? throw NotBuilt($"The {format} image of {name} isn't there, or was changed since it was built", shelf.PrefixOf(name) + ImageFormats.Named(format).Extension, spec.Formats);
            if (outdated.Contains(format) || image.BuildKey != manifest.BuildKey || image.SecretsMark != manifest.SecretsMark)
            {
                throw NotBuilt($"The {format} image of {name} is of another build than the spec asks for", shelf.ImagePath(image), spec.Formats);
            }
        }

        return (manifest, [.. spec.Formats.Select(format => intact.First(image => image.Format == format))]);
    }

    private static CrustException NotBuilt(string what, string where, ImmutableArray<string> formats) =>
        new(FailureKind.BadInput, what, where, $"build it first: crust build --format {string.Join(',', formats)}");

    private void Warn(IEnumerable<ManifestImage> images)
    {
        foreach (var image in images)
        {
            var format = ImageFormats.Named(image.Format);
            if (image.Verified is null && format.HoldsDisk)
            {
                observer.Observe(new BuildEvent.Warned($"{image.File} wasn't verified: nobody knows whether it boots (crust build --verify)"));
            }

            if (image.Sha256 is null)
            {
                var advice = format.Registry.Smaller is { } smaller ? $"; {smaller} has the same in far less" : "";
                observer.Observe(new BuildEvent.Warned($"{image.File} has holes, and a registry stores them as zeros: {Size.Format(image.Size)} are pushed{advice}"));
            }
        }
    }
}
