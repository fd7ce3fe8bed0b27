using System.Collections.Immutable;
using Crust.Images;
using Crust.Oci;
using Crust.Reports;
using Crust.Spec;

namespace Crust.Registries;

/// <summary>
/// Pushes one image with all that belongs to it. The tag by which a plan finds it comes last: whoever sees it can rely on the rest.
/// </summary>
internal sealed class ImagePublisher(Registry registry, ImagesFolder shelf, string scratch, IBuildObserver observer)
{
    private readonly SharedIndex _indexes = new(registry);

    /// <summary>Image, attachments, index, key tag.</summary>
    public async Task<PublishedImage> PublishAsync(ManifestImage image, Manifest manifest, PublishTarget target, BuildSpec spec, CancellationToken cancellation)
    {
        TagOwner.Check(target.Index, await registry.ReadAsync(target.Index, cancellation), manifest.Name, spec.Publish.Overwrite);
        var before = await registry.ReadAsync(target.Image, cancellation);
        TagOwner.Check(target.Image, before, manifest.Name, spec.Publish.Overwrite);

        var artifact = await Artifact.OfAsync(image, manifest, shelf, scratch, cancellation);
        var isThere = before?.Sha256 == artifact.Manifest.Sha256;
        if (!isThere)
        {
            await PushAsync(image, artifact, target.Image, cancellation);
        }

        if (!isThere && before is not null)
        {
            observer.Observe(new BuildEvent.Noted($"{target.Image} named {before.Digest} before"));
        }

        var attached = await AttachAsync(artifact, manifest, target.Image, cancellation);
        var index = await _indexes.KeepArchitecturesAsync(target.Index, manifest.Name, cancellation);
        var key = PublishedKey.TagOf(image.BuildKey, image.Format, image.Recipe);
        var keyed = target.Image.With(key);
        if ((await registry.ReadAsync(keyed, cancellation))?.Sha256 != artifact.Manifest.Sha256)
        {
            await registry.TagAsync(target.Image, keyed, artifact.Manifest, cancellation);
        }

        return new PublishedImage(image, target, artifact.Manifest.Digest, index.Digest, key)
        {
            Pushed = !isThere,
            Replaced = isThere ? null : before?.Digest,
            Attached = attached,
        };
    }

    private Task PushAsync(ManifestImage image, Artifact artifact, RegistryReference to, CancellationToken cancellation) =>
        registry.PushAsync(artifact.Source, to, artifact.Manifest,
            moved => observer.Observe(new BuildEvent.Progressed(Stage.Publish, image.Format, Math.Min(1, (double)moved / Math.Max(1, artifact.Length)), Size.Format(image.Size))), cancellation);

    // Registries with the referrers API find attachments by their subject; for others the index under this tag lists them.
    private async Task<ImmutableArray<AttachedFile>> AttachAsync(Artifact image, Manifest manifest, RegistryReference reference, CancellationToken cancellation)
    {
        var attachments = Attachments.Of(manifest, shelf, image.Descriptor, scratch);
        var list = reference.With(Attachments.ListOf(image.Descriptor.Digest));
        var known = await registry.ReadAsync(list, cancellation) is { } index ? SharedIndex.EntriesOf(index) : [];
        foreach (var attachment in attachments.Where(attachment => known.All(entry => entry.Digest != attachment.Descriptor.Digest)))
        {
            await registry.PushAsync(attachment.Source, reference.With(attachment.Descriptor.Digest), attachment.Manifest, null, cancellation);
        }

        var entries = attachments.Select(Attachments.EntryOf).ToImmutableArray();
        await _indexes.KeepAsync(list,
            there => Task.FromResult<ImmutableArray<OciDescriptor>>([.. there.Where(entry =>
                !attachments.Any(attachment => Attachments.Replaces(attachment, entry)) && entries.All(own => own.Digest != entry.Digest)), .. entries]),
            null, cancellation);
        return [.. attachments.Select(attachment =>
            new AttachedFile(Attachments.EntryOf(attachment).Annotations[OciManifest.Title], attachment.Descriptor.ArtifactType!, attachment.Descriptor.Digest))];
    }
}
