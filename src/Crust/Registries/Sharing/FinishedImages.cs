using System.Collections.Immutable;
using System.Text;
using Crust.Disks;
using Crust.Events;
using Crust.Formats;
using Crust.Oci;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Registries.Sharing;

/// <param name="Sbom">The list of packages; null if there is none, or it wasn't wanted.</param>
internal sealed record PulledImages(ImmutableArray<DraftImage> Images, string? Sbom);

/// <summary>Finds finished images of a build in registries, under the tags that are made of all that decides them, and pulls them by digest.</summary>
internal sealed class FinishedImages(SharedCache cache)
{
    /// <summary>Those that there are of the formats that are wanted, checked as far as that goes without pulling them.</summary>
    /// <param name="recipeOf">What decides an image beside the disk.</param>
    public async Task<ImmutableArray<FinishedImage>> FindAsync(SharedBuild build, IEnumerable<IImageFormat> wanted, Func<IImageFormat, string> recipeOf, StageRunner stages,
        CancellationToken cancellation)
    {
        // With holes, an image is as long as its disk in a registry; from the disk it is made at once.
        var formats = wanted.Where(format => format.NeedsOf(build.Spec).Weight is not ImageWeight.Copied).ToList();
        if (!cache.IsOn || formats.Count == 0)
        {
            return [];
        }

        return await stages.RunAsync(Stage.Cache, $"finished images for {cache.Name}", async () =>
        {
            var found = ImmutableArray.CreateBuilder<FinishedImage>();
            foreach (var format in formats)
            {
                foreach (var place in PlacesOf(build.Spec, format))
                {
                    if (await place.TryAsync(registry => FindAsync(registry, place, build, format, recipeOf(format), cancellation)) is { } image)
                    {
                        found.Add(image);
                        break;
                    }
                }
            }

            return found.ToImmutable();
        }, found => found.IsEmpty ? "there are none" : string.Join(", ", found.Select(image => $"{image.Format.Name} in {image.From}")));
    }

    /// <summary>Pulls images; one that can't be pulled is left out, with a warning.</summary>
    /// <param name="withSbom">Whether the list of packages is wanted, too; nothing is returned if it can't be had.</param>
    public static async Task<PulledImages?> PullAsync(ImmutableArray<FinishedImage> images, bool withSbom, DraftFolder drafts, StageRunner stages, CancellationToken cancellation)
    {
        if (images.IsEmpty)
        {
            return null;
        }

        return await stages.RunAsync(Stage.Cache, string.Join(", ", images.Select(image => $"{image.Image.File} from {image.From.Repository}")), async () =>
        {
            var pulled = ImmutableArray.CreateBuilder<DraftImage>();
            foreach (var image in images)
            {
                if (await CheckedAsync(image, registry => PullAsync(registry, image, drafts, cancellation)) is { } draft)
                {
                    pulled.Add(draft);
                }
            }

            var sbom = withSbom && images[0] is { Sbom: { } list, Told.Sbom: { } file } told
                ? await CheckedAsync(told, async registry => await AttachedAsync(registry, list, told.From.Tag, cancellation) is var bytes && new OciDocument(bytes).Sha256 == file.Sha256
                    ? Encoding.UTF8.GetString(bytes) : throw new InvalidDataException($"{list} isn't the list of packages that the manifest names"))
                : "";
            return sbom is null ? null : new PulledImages(pulled.ToImmutable(), sbom.Length == 0 ? null : sbom);
        }, done => done is null || done.Images.IsEmpty ? "nothing was pulled" : string.Join(", ", done.Images.Select(image => $"{image.Format.Name} {Size.Format(image.Size)}")));
    }

    private static Task<T?> CheckedAsync<T>(FinishedImage image, Func<Registry, Task<T?>> work)
        where T : class => image.Cache.TryAsync(async registry =>
    {
        try
        {
            return await work(registry);
        }
        catch (Exception e) when (e is InvalidDataException or RegistryException { Fault: RegistryFault.Altered })
        {
            image.Cache.Warn($"what is there as {image.From} is refused: {(e as CrustException)?.What ?? e.Message}");
            return null;
        }
    });

    private IEnumerable<SharedCache> PlacesOf(BuildSpec spec, IImageFormat format)
    {
        string? published = null;
        try
        {
            published = PublishTarget.RepositoryOf(spec, format);
        }
        catch (CrustException)
        {
            // A publish tells of it.
        }

        return published is null || published == spec.Cache ? [cache] : [cache.Beside(published), cache];
    }

    private static async Task<FinishedImage?> FindAsync(Registry registry, SharedCache place, SharedBuild build, IImageFormat format, string recipe, CancellationToken cancellation)
    {
        var tag = place.At(PublishedKey.TagOf(build.Key, format.Name, recipe));
        if (await registry.ReadAsync(tag, cancellation) is not { } artifact)
        {
            return null;
        }

        try
        {
            var attached = await registry.ReadAsync(tag.With(Attachments.ListOf(artifact.Digest)), cancellation) is { } list ? SharedIndex.EntriesOf(list) : [];
            var document = NameOf(Attachments.ManifestType) is { } manifest ? await AttachedAsync(registry, manifest, artifact.Digest, cancellation) : null;
            if (document is not null && place.Trust.IsWanted)
            {
                // The manifest has the checksums of all files, and says what was verified.
                await place.Trust.CheckAsync(document, NameOf(Attachments.ManifestSignatureType) is { } signature ? await AttachedAsync(registry, signature, artifact.Digest, cancellation) : null,
                    cancellation);
            }

            var told = document is null ? null : Manifest.Parse(document);
            return FinishedImage.Check(artifact, told, format, recipe, build) is { } image
                ? new FinishedImage(format, build.Spec.Machine.Arch, tag.With(artifact.Digest), place, image, told!, NameOf(Attachments.SbomType)) : null;

            RegistryReference? NameOf(string type) =>
                attached.LastOrDefault(entry => entry.IsSha256 && (entry.ArtifactType ?? entry.Annotations.GetValueOrDefault(Attachments.TypeNote)) == type) is { } entry ? tag.With(entry.Digest)
                    : null;
        }
        catch (Exception e) when (e is InvalidDataException or RegistryException { Fault: RegistryFault.Altered })
        {
            place.Warn($"what is there as {tag} is refused: {(e as CrustException)?.What ?? e.Message}");
            return null;
        }
    }

    // The one file of an artifact that is attached to an image.
    private static async Task<byte[]> AttachedAsync(Registry registry, RegistryReference name, string subject, CancellationToken cancellation)
    {
        var folder = await registry.PullAsync(name, _ => { }, cancellation);
        var file = Attachments.FileOf(await File.ReadAllBytesAsync(Path.Combine(folder, "manifest.json"), cancellation), subject)
            ?? throw new InvalidDataException($"{name} isn't attached to {subject}");
        return await File.ReadAllBytesAsync(Path.Combine(folder, file.Sha256), cancellation);
    }

    // An archive isn't in the registry, but all that it is made of.
    private static void Pack(FinishedImage image, IOciArchive archive, string folder, string path, CancellationToken cancellation)
    {
        if (archive.Pack(new OciPull(image.Told.Name, image.Arch, folder, $"{image.From}"), path, cancellation) != image.Image.Sha256)
        {
            File.Delete(path);
            throw new InvalidDataException($"{image.From} isn't the image that its manifest describes");
        }
    }

    // Its digest says who has it, not what it names: it would be booted and handed on.
    private static async Task CheckAsync(FinishedImage image, string path, CancellationToken cancellation)
    {
        try
        {
            await ForeignImage.CheckAsync(path, image.Format, image.Cache.Tools, cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.BadInput)
        {
            File.Delete(path);
            throw new InvalidDataException(e.What, e);
        }
    }

    private static async Task<DraftImage?> PullAsync(Registry registry, FinishedImage image, DraftFolder drafts, CancellationToken cancellation)
    {
        var (format, file) = (image.Format, image.Image);
        const string remedy = "or choose another folder with --output";
        SharedCache.CheckSpace($"the {format.Name} image in the registry", file.Size, drafts.Path, remedy);
        try
        {
            var folder = await registry.PullAsync(image.From,
                moved => image.Cache.Observer.Observe(new BuildEvent.Progressed(Stage.Cache, format.Name, Math.Min(1, (double)moved / Math.Max(1, file.Size)), "")), cancellation);
            // Not where images are written: a part of another may have the same name.
            var path = Path.Combine(Directory.CreateDirectory(Path.Combine(drafts.Path, "reused")).FullName, file.File);
            string? map = null;
            if (format.Registry.Archive is { } archive)
            {
                await Task.Run(() => Pack(image, archive, folder, path, cancellation), cancellation);
            }
            else
            {
                // Once is enough, but where the rest couldn't be pulled it is pulled twice.
                File.Move(Path.Combine(folder, file.Sha256!), path, overwrite: true);
                if (file.BlockMap is { } its)
                {
                    File.Copy(Path.Combine(folder, its.Sha256), map = path + BmapFile.Extension, overwrite: true);
                }
            }

            WholeFile.Sync(path);
            await CheckAsync(image, path, cancellation);
            BuildCache.TryDelete(folder);
            return new DraftImage(format, path, file.Size, file.Sha256, file.Recipe) { Library = file.Library, BlockMap = map, Reused = new ReusedImage(image.From.ToString(), file.Verified) };
        }
        catch (Exception e) when (NoSpace.IsReasonOf(e) || e is RegistryException { Fault: RegistryFault.NoSpace })
        {
            throw new CrustException(FailureKind.InputOutput, $"The {format.Name} image couldn't be pulled: no space is left, and it takes {Size.Format(file.Size)}", drafts.Path,
                $"free space, for instance with 'crust clean', {remedy}", e);
        }
    }
}
