using Crust.Boards;
using Crust.Disks;
using Crust.Formats;
using Crust.Formats.Splicing;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Fleet;

/// <summary>The image that nodes' images are made of.</summary>
internal sealed class FleetBase : IDisposable
{
    private readonly DiskIdSites? _ids;

    private FleetBase(string path, IImageFormat format, ImageTemplate template, Partition partition, DiskIdSites? ids, string sha256) =>
        (Path, Format, Template, Partition, _ids, Sha256) = (path, format, template, partition, ids, sha256);

    /// <summary>Its path, absolute.</summary>
    public string Path { get; }

    public IImageFormat Format { get; }

    public ImageTemplate Template { get; }

    /// <summary>The partition that each node has its seed in.</summary>
    public Partition Partition { get; }

    /// <summary>The file's SHA-256 in hex.</summary>
    public string Sha256 { get; }

    /// <summary>QEMU's driver that reads it; null where it has to be unpacked first.</summary>
    public string? Driver => DriverOf(Format);

    /// <summary>The formats that a base may have, for people.</summary>
    public static string Formats { get; } = Nearest.Or([.. ImageFormats.WithTemplates.Select(format => format.Name)]);

    /// <summary>Those that it may have below overlays.</summary>
    public static string FormatsBelowOverlays { get; } = Nearest.Or(
        [.. ImageFormats.WithTemplates.Where(format => DriverOf(format) is not null).Select(format => format.Name)]);

    /// <param name="tools">Only asked where the format has to.</param>
    /// <exception cref="CrustException">There is no such image, nodes' images can't be made of it, or it has no partition for seeds.</exception>
    public static async Task<FleetBase> OpenAsync(string image, ToolBox tools, CancellationToken cancellation)
    {
        var path = System.IO.Path.GetFullPath(image);
        var kind = ForeignImage.KindOf(path);
        await ForeignImage.CheckAsync(path, kind, tools, cancellation);
        ImageTemplate? template = null;
        try
        {
            var format = kind is IImageFormat { HasTemplates: true } known ? known
                : throw new CrustException(FailureKind.BadInput, $"A base that is {kind.Name} can't be given nodes' seeds", image, $"give the base as {Formats}");
            template = format.OpenTemplate(path);
            var partition = SeedPartition.Find(template.Read) ?? throw new CrustException(FailureKind.BadInput,
                $"The base has no seed partition ({SeedPartition.Name})", image,
                "build it with base.seedPartition: 960K, or give nodes seed volumes: --as seed");
            var ids = DiskIdSites.Find(template.Read, template.Extents, image, cancellation);
            return new FleetBase(path, format, template, partition, ids, await SparseHash.ComputeAsync(path, cancellation));
        }
        catch (InvalidDataException e)
        {
            template?.Dispose();
            throw new CrustException(FailureKind.BadInput, $"Nodes' images can't be made of this base: {e.Message}", image,
                "give an image that Crust has made, whole and unchanged", e);
        }
        catch (IOException e)
        {
            template?.Dispose();
            throw new CrustException(FailureKind.InputOutput, $"The base can't be read: {e.Message}", image, "check the drive that it is on", e);
        }
        catch
        {
            template?.Dispose();
            throw;
        }
    }

    /// <summary>What a node's disk has of its own: the seed, at its place, and where the base has an MBR, a disk id, by which the node's own files name the disk's partitions.</summary>
    public DiskPatch[] PatchOf(NodeSeed seed, Node node) =>
        [new DiskPatch(Partition.Offset, NodeVolume.Fat(seed, node, Partition.Length)), .. DiskIdOf(node) is { } id ? _ids!.PatchesTo(id) : []];

    /// <summary>The id of a node's disk, eight hex digits; null where the base has no MBR with one.</summary>
    public string? DiskIdOf(Node node) => _ids is null ? null : DiskIdSites.IdOf(Sha256, node.Name);

    public void Dispose() => Template.Dispose();

    private static string? DriverOf(IImageFormat format) => format.NeedsOf(new BuildSpec()).IsUnpackedToBoot ? null : format.QemuDriver;
}
