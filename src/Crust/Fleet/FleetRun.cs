using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text;
using Crust.Disks;
using Crust.Events;
using Crust.Formats.Splicing;
using Crust.Inspection;
using Crust.Sanitizing;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Fleet;

/// <summary>What a fleet's files are made of.</summary>
internal sealed record FleetRequest
{
    /// <summary>The nodes, and the network of those with fixed addresses.</summary>
    public required NodesFile Nodes { get; init; }

    public required SeedTemplate Template { get; init; }

    public required ImmutableArray<NodeSecret> Secrets { get; init; }

    /// <summary>What each node gets, each once.</summary>
    public required ImmutableArray<FleetForm> Forms { get; init; }

    /// <summary>The base's path; null where no form needs it.</summary>
    public string? Image { get; init; }

    /// <summary>Whether the base is looked at first, for what nodes would share.</summary>
    public bool InspectsBase { get; init; } = true;

    /// <summary>The folder for them; absolute.</summary>
    public required string Folder { get; init; }

    /// <summary>What the names of the fleet's own documents have in them where this is a part of it, `.3-of-10`: parts may share a folder. Empty for all of it.</summary>
    public string Part { get; init; } = "";

    /// <summary>How many nodes are worked on at a time.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>Crust's own environment, for secrets.</summary>
    public required ImmutableDictionary<string, string> Variables { get; init; }
}

/// <summary>A node with its finished files, in the order of the forms.</summary>
/// <param name="DiskId">The id of its disk's MBR, eight hex digits; null where there is none.</param>
internal sealed record FleetEntry(Node Node, ImmutableArray<FleetFile> Files, string? DiskId);

/// <summary>What a run made, in the order of the nodes.</summary>
/// <param name="BaseSha256">The base's SHA-256 in hex; null where there is none.</param>
internal sealed record FleetResult(ImmutableArray<FleetEntry> Entries, FleetRequest Request, string? BaseSha256, Partition? Partition);

/// <summary>Makes nodes' own files, side by side; those that an earlier run has finished stay.</summary>
/// <param name="inspector">Looks at the base.</param>
internal sealed class FleetRun(ToolBox tools, Inspector inspector, IBuildObserver observer, Redactor hidden, TimeProvider time)
{
    /// <summary>Raise it when the same node would get other bytes.</summary>
    internal const int Version = 2;

    /// <exception cref="CrustException">The base isn't one, a secret is missing, a seed doesn't fit, or the folder can't be written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished stays, and no other file is left.</exception>
    public async Task<FleetResult> RunAsync(FleetRequest request, CancellationToken cancellation)
    {
        using var image = request.Image is { } path && request.Forms.Any(form => form.NeedsBase()) ? await FleetBase.OpenAsync(path, tools, cancellation) : null;
        if (image is not null && request.InspectsBase)
        {
            foreach (var finding in FleetIdentity.Check((await inspector.InspectAsync(image.Path, cancellation)).Disk!, request.Image!))
            {
                observer.Observe(new BuildEvent.Warned($"{finding.What} ({finding.Where}): {finding.Remedy}"));
            }
        }

        using var drafts = DraftFolder.Create(request.Folder);
        try
        {
            using var held = await FileLock.AcquireAsync(Path.Combine(request.Folder, FleetJournal.NameOf(request.Part) + ".lock"), null, cancellation);
            using var journal = FleetJournal.Open(request.Folder, request.Part);
            var work = new Work(request, image, drafts.Path, journal, await SecretsOfAsync(request, cancellation));
            var running = new StageRunner(observer, time).Begin(Stage.Formats, $"{request.Nodes.Nodes.Length} nodes");
            var entries = new ConcurrentDictionary<int, FleetEntry>();
            await Parallel.ForEachAsync(request.Nodes.Nodes.Select((node, i) => (node, i)),
                new ParallelOptions { MaxDegreeOfParallelism = request.Jobs, CancellationToken = cancellation },
                async (item, stop) =>
                {
                    entries[item.i] = await MakeAsync(item.node, work, stop);
                    observer.Observe(new BuildEvent.Progressed(Stage.Formats, null, (double)entries.Count / request.Nodes.Nodes.Length, item.node.Name));
                });
            var result = new FleetResult([.. entries.OrderBy(entry => entry.Key).Select(entry => entry.Value)], request, image?.Sha256, image?.Partition);
            var kept = result.Entries.Sum(entry => entry.Files.Count(file => file.IsKept));
            running.End($"{result.Entries.Sum(entry => entry.Files.Length)} files{(kept > 0 ? $", {kept} of them from an earlier run" : "")}");
            await FleetDocuments.WriteAsync(result, drafts.Path, cancellation);
            return result;
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"Nodes' images can't be made of this base: {e.Message}", request.Image ?? request.Folder,
                "give an image that Crust has made, whole and unchanged", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrustException(FailureKind.InputOutput, $"The fleet's files can't be written: {e.Message}", request.Folder,
                "make room there, and the folder writable; run it again, and it goes on where it stopped", e);
        }
    }

    // All before anything is made: one that is missing is reported at once, and what is hidden is put together once.
    private async Task<IReadOnlyDictionary<string, ImmutableDictionary<string, Secret>>> SecretsOfAsync(FleetRequest request, CancellationToken cancellation)
    {
        var all = new ConcurrentDictionary<string, ImmutableDictionary<string, Secret>>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(request.Nodes.Nodes, new ParallelOptions { MaxDegreeOfParallelism = request.Jobs, CancellationToken = cancellation },
            async (node, stop) =>
        {
            var secrets = ImmutableDictionary.CreateBuilder<string, Secret>();
            foreach (var secret in request.Secrets)
            {
                secrets[secret.Name] = await secret.OfAsync(node.Name, request.Variables, tools, stop);
            }

            all[node.Name] = secrets.ToImmutable();
        });
        hidden.Hide(all.Values.SelectMany(secrets => secrets.Values).Select(secret => secret.Reveal()));
        return all;
    }

    private async Task<FleetEntry> MakeAsync(Node node, Work work, CancellationToken cancellation)
    {
        var seed = NodeSeed.Of(node, work.Request.Nodes.Network, work.Request.Template, work.Secrets[node.Name]);
        var files = ImmutableArray.CreateBuilder<FleetFile>();
        foreach (var form in work.Request.Forms)
        {
            files.Add(await MakeAsync(form, node, seed, work, cancellation));
        }

        return new FleetEntry(node, files.ToImmutable(), work.Image?.DiskIdOf(node));
    }

    private async Task<FleetFile> MakeAsync(FleetForm form, Node node, NodeSeed seed, Work work, CancellationToken cancellation)
    {
        var name = node.Name + form.ExtensionOf(work.Image?.Format.Extension ?? "");
        var key = Checksum.OfText($"crust fleet {Version}\n{form}\n{name}\n{(form.NeedsBase() ? $"{work.Image!.Sha256} {work.Image.Partition}\n{(form is FleetForm.Overlay ? work.NameOfImage : "")}" : "")}\n{seed.Digest}\n");
        if (work.Journal.Find(name, key) is { } kept)
        {
            return kept;
        }

        var final = Path.Combine(work.Request.Folder, name);
        if (File.Exists(final) && OutputFile.IsSigned(final) is false)
        {
            throw new CrustException(FailureKind.BadInput, "A node's file would replace one that Crust hasn't made", final,
                "move it away, or choose another folder with --output");
        }

        var draft = Path.Combine(work.Drafts, name);
        var sum = await WriteAsync(form, node, seed, work, draft, name, cancellation);
        // It holds what only the node may know.
        File.SetUnixFileMode(draft, WholeFile.Private);
        OutputFile.Sign(draft);
        var file = new FleetFile(name, new FileInfo(draft).Length, sum);
        if (File.Exists(draft + BmapFile.Extension))
        {
            WholeFile.Place(draft + BmapFile.Extension, final + BmapFile.Extension);
        }

        WholeFile.Place(draft, final);
        work.Journal.Add(file, key);
        return file;
    }

    private async Task<string?> WriteAsync(FleetForm form, Node node, NodeSeed seed, Work work, string draft, string name, CancellationToken cancellation)
    {
        switch (form)
        {
            case FleetForm.Seed:
                var folder = Path.Combine(work.Drafts, $"{node.Name}.seed");
                Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                await new NodeVolume(tools).WriteIsoAsync(seed, draft, folder, cancellation);
                Directory.Delete(folder, recursive: true);
                return await Checksum.OfFileAsync(draft, cancellation);
            case FleetForm.Vfat:
                await File.WriteAllBytesAsync(draft, NodeVolume.Fat(seed, node), cancellation);
                return await Checksum.OfFileAsync(draft, cancellation);
            case FleetForm.Overlay:
                return ImageOverlay.Of(work.Image!.Template, work.Driver, work.NameOfImage, work.Image.PatchOf(seed, node)).WriteTo(draft, null, cancellation);
            default:
                var (sum, map) = work.Image!.Template.Write(work.Image.PatchOf(seed, node), draft, name, cancellation);
                if (map is not null)
                {
                    BmapFile.Write(map, draft + BmapFile.Extension);
                }

                // As with all images with holes, the map stands in for a checksum.
                return sum ?? (map is null ? await SparseHash.ComputeAsync(draft, cancellation) : null);
        }
    }

    /// <summary>What all nodes of a run share.</summary>
    private sealed record Work(FleetRequest Request, FleetBase? Image, string Drafts, FleetJournal Journal,
        IReadOnlyDictionary<string, ImmutableDictionary<string, Secret>> Secrets)
    {
        public string NameOfImage { get; } = Image is null ? "" : NameFor(Request, Image.Path);

        public string Driver => Image!.Driver ?? throw new CrustException(FailureKind.BadInput, $"QEMU reads no overlay over a base that is {Image.Format.Name}",
            Request.Image ?? "",
            $"give the base as {FleetBase.FormatsBelowOverlays}, or make whole images: --as image");

        // Seen from the overlays' folder, so that both can be moved together.
        private static string NameFor(FleetRequest request, string image)
        {
            var name = Path.GetRelativePath(request.Folder, image);
            // QEMU takes what is before a colon for a protocol, unless there is a slash before it.
            name = name.Split('/')[0].Contains(':') ? "./" + name : name;
            return !request.Forms.Contains(FleetForm.Overlay) || Encoding.UTF8.GetByteCount(name) <= ImageOverlay.LongestName ? name
                : throw new CrustException(FailureKind.BadInput, $"The base's path, seen from the overlays, has more than the {ImageOverlay.LongestName} bytes that an overlay has room for",
                    request.Image!, "choose a folder nearer to the base with --output");
        }
    }
}
