using Crust.Formats.Headers;
using Crust.Formats.KubeVirt;
using Crust.Oci;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Formats;

/// <summary>
/// A KubeVirt containerDisk: an OCI image with the qcow2 in it, as an OCI archive (an OCI image layout in a tar), which skopeo copies to any
/// registry. No container daemon is needed.
/// </summary>
internal sealed class KubeVirtFormat : IImageFormat, IOciArchive
{
    private static readonly Qcow2Format Inner = new();

    public string Name => "kubevirt";

    public string Extension => ".kubevirt.oci.tar";

    public string MediaType => OciManifest.ManifestType;

    public string? QemuDriver => Inner.QemuDriver;

    // KubeVirt's users write the reference into a virtual machine.
    public RegistryForm Registry => new() { ReferenceVariable = "QCOW2_IMG", HasTagAsGiven = true, Archive = this };

    public string RecipeOf(BuildSpec spec, FormatServices services) => Inner.RecipeOf(spec, services);

    public FormatNeeds NeedsOf(BuildSpec spec) => Inner.NeedsOf(spec) with { Wraps = Inner.Name };

    // Crust writes oci-layout first, others index.json or a blob.
    public ImageSign SignIn(ImageSample file) =>
        file.IsTar && (file.Has(0, "oci-layout"u8) || file.Has(0, "index.json"u8) || file.Has(0, "blobs/"u8) || file.Has(0, "./oci-layout"u8)) ? ImageSign.Member : ImageSign.None;

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) => Task.Run(() => ContainerDiskReader.Open(image), cancellation);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var layer = new DiskLayer(await request.Parts.GetAsync(Inner.Name), request.Name);
        // The layer's SHA-256 is its name, and so stands before it: it is read twice, from memory the second time.
        var sha256 = layer.Sha256(done => request.Progress(done / 2), cancellation);
        var image = new ContainerDisk(request.Name, request.Spec.Machine.Arch, sha256, layer.Length);

        return new WrittenImage(Archive(request.Path, image, sha256, layer.Length, layer.Read(done => request.Progress((1 + done) / 2), cancellation)));
    }

    public OciDocument ReadManifest(string path) => ContainerDiskReader.ReadManifest(path);

    public string Pack(OciPull image, string path, CancellationToken cancellation)
    {
        var layer = OciManifest.OnlyLayerOf(File.ReadAllBytes(Path.Combine(image.Folder, "manifest.json"))) ?? throw new InvalidDataException($"{image.From} isn't a containerDisk of one layer");
        using var source = File.OpenRead(Path.Combine(image.Folder, layer.Sha256));
        return Archive(path, new ContainerDisk(image.Name, image.Arch, layer.Sha256, layer.Size), layer.Sha256, layer.Size, Pieces(source, cancellation));
    }

    private static IEnumerable<ReadOnlyMemory<byte>> Pieces(FileStream source, CancellationToken cancellation)
    {
        var piece = new byte[1 << 20];
        for (int read; (read = source.Read(piece)) > 0;)
        {
            cancellation.ThrowIfCancellationRequested();
            yield return piece.AsMemory(0, read);
        }
    }

    private static string Archive(string path, ContainerDisk image, string layerSha256, long layerLength, IEnumerable<ReadOnlyMemory<byte>> layer)
    {
        using var file = new HashedFile(path);
        file.Append(TarMember.File("oci-layout", OciManifest.Layout.Json));
        file.Append(TarMember.File("index.json", image.Index.Json));
        file.Append(TarMember.File(BlobName(image.Manifest.Sha256), image.Manifest.Json));
        file.Append(TarMember.File(BlobName(image.Config.Sha256), image.Config.Json));
        file.Append(new TarMember(BlobName(layerSha256), layerLength).With(layer));
        file.Append(TarMember.EndOfArchive.Span);
        return file.Sha256();
    }

    private static string BlobName(string sha256) => $"blobs/sha256/{sha256}";
}
