using System.Collections.Immutable;
using Crust.Storage;

namespace Crust.Content;

/// <summary>Builds bundles: what images consist of is asked, what is missing is pulled, all is packed once, and what came of it gets its names at the end.</summary>
/// <param name="cache">The cache's folder.</param>
internal sealed class ContentBuilder(ImagePuller images, ContentAttestor attestor, ContentExtras extras, string cache, IBuildObserver observer, TimeProvider time)
{
    /// <summary>Looks at a folder's file system.</summary>
    public Func<string, FolderSpace> Look { get; init; } = FolderSpace.Of;

    /// <summary>Builds a bundle, unless the one that is there has been made of the same.</summary>
    /// <exception cref="CrustException">Something that it needs isn't there, isn't what it should be, doesn't fit, or can't be read or written.</exception>
    public async Task<ContentResult> BuildAsync(ContentRequest request, CancellationToken cancellation)
    {
        var (plan, started) = (request.Plan, time.GetUtcNow());
        var output = new ContentFolder(request.Folder, plan.Name);
        output.CheckPlaces(plan);
        var copied = ContentExtras.LengthOfCopied(request);
        await attestor.TryKeyAsync(request.Sign, cancellation);
        Report(null, "reading the files");
        var files = BundleFiles.Read(plan, cancellation);
        var resolved = await images.ResolveAsync(plan, cancellation);
        var bundle = Bundle.Of(plan, resolved, files, images.Blobs);
        if (await output.FindAsync(bundle.Key, cancellation) is { } there)
        {
            return await ExtendAsync(request, output, there, started, cancellation);
        }

        ContentSpace.Check(images.Blobs.Missing(Bundle.LayersOf(resolved)), bundle.Length, request.Copies, copied, cache, request.Folder, Look);
        if (!resolved.IsEmpty)
        {
            await images.PullAsync(plan, resolved, cancellation);
        }

        using var drafts = DraftFolder.Create(request.Folder);
        return await GuardAsync(request.Folder, async () =>
        {
            var manifest = await PackAsync(bundle, drafts.Path, cancellation);
            CheckTarget(request, manifest);
            output.WriteLists(manifest, drafts.Path);
            await attestor.WriteAsync(manifest, plan, request.Sign, started, drafts.Path, cancellation);
            await WriteExtrasAsync(request, output.PartsIn(drafts.Path, manifest), drafts.Path, cancellation);
            return new ContentResult(manifest, true, await output.PlaceAsync(manifest, drafts.Path, isNew: true, cancellation));
        });
    }

    private async Task<ContentManifest> PackAsync(Bundle bundle, string drafts, CancellationToken cancellation)
    {
        using var parts = new PartWriter(drafts, bundle.Plan.Name, bundle.Plan.Split);
        await BundlePacker.WriteAsync(bundle.Pieces(), bundle.Length, bundle.Plan.Level, parts, fraction => Report(fraction, "packing"), cancellation);
        var (files, sha256) = parts.Finish();
        return new ContentManifest
        {
            Name = bundle.Plan.Name,
            Key = bundle.Key,
            Size = parts.Length,
            Unpacked = bundle.Length,
            Sha256 = sha256,
            Parts = files,
            Images = [.. bundle.Images.Select(image => image.ToPacked())],
            Files = bundle.Files.Packed,
        };
    }

    // The parts are there; what else is wanted is made of them.
    private async Task<ContentResult> ExtendAsync(ContentRequest request, ContentFolder output, ContentManifest manifest, DateTimeOffset started, CancellationToken cancellation)
    {
        CheckTarget(request, manifest);
        using var drafts = DraftFolder.Create(request.Folder);
        return await GuardAsync(request.Folder, async () =>
        {
            if (!output.IsAttested(request.Sign.IsWanted))
            {
                await attestor.WriteAsync(manifest, request.Plan, request.Sign, started, drafts.Path, cancellation);
            }

            await WriteExtrasAsync(request, output.PartsIn(request.Folder, manifest), drafts.Path, cancellation);
            return new ContentResult(manifest, false, await output.PlaceAsync(manifest, drafts.Path, isNew: false, cancellation));
        });
    }

    private async Task WriteExtrasAsync(ContentRequest request, ImmutableArray<string> files, string drafts, CancellationToken cancellation)
    {
        if (request.Iso is { } iso)
        {
            await extras.WriteIsoAsync(iso, files, Path.Combine(drafts, request.Plan.Name + ContentFolder.IsoExtension), cancellation);
        }

        if (request.HasPartition || request.Disk is not null)
        {
            var scratch = Directory.CreateDirectory(Path.Combine(drafts, "scratch")).FullName;
            // What is only wanted on a disk isn't placed.
            var partition = Path.Combine(request.HasPartition ? drafts : scratch, request.Plan.Name + ContentExtras.PartitionExtension);
            await extras.WritePartitionAsync(files, partition, scratch, cancellation);
            if (request.Disk is { } disk)
            {
                await Task.Run(() => extras.WriteDisk(disk, partition, Path.Combine(drafts, request.Plan.Name + ContentFolder.DiskExtension), cancellation), cancellation);
            }
        }
    }

    private static void CheckTarget(ContentRequest request, ContentManifest manifest)
    {
        if (request.Target is { } target)
        {
            TargetSize.Check(target, request.SystemSize, [manifest], isUnpacked: true);
        }
    }

    private static async Task<ContentResult> GuardAsync(string folder, Func<Task<ContentResult>> write)
    {
        try
        {
            return await write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The bundle can't be written: {e.Message}", folder,
                "free space there and make it writable, or choose another folder with --output; what was pulled is in the cache", e);
        }
    }

    private void Report(double? fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Content, null, fraction, detail));
}
