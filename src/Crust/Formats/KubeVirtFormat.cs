using Crust.Formats.Archives;
using Crust.Formats.KubeVirt;
using Crust.Oci;
using Crust.Spec;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>
/// A KubeVirt containerDisk: an OCI image with the qcow2 in it, as an OCI archive (an OCI image layout in a tar), which skopeo copies to any
/// registry. No container daemon is needed.
/// </summary>
internal sealed class KubeVirtFormat : IImageFormat
{
    private static readonly Qcow2Format Inner = new();

    public string Name => "kubevirt";

    public string Extension => ".kubevirt.oci.tar";

    public string MediaType => OciManifest.ManifestType;

    public string? QemuDriver => Inner.QemuDriver;

    public string RecipeOf(BuildSpec spec, FormatServices services) => Inner.RecipeOf(spec, services);

    public FormatNeeds NeedsOf(BuildSpec spec) => Inner.NeedsOf(spec) with { Wraps = Inner.Name };

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) => Task.FromResult(ContainerDiskReader.Open(image));

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var layer = new DiskLayer(await request.Parts.GetAsync(Inner.Name), request.Name);
        // The layer's SHA-256 is its name, and so stands before it: it is read twice, from memory the second time.
        var sha256 = layer.Sha256(done => request.Progress(done / 2), cancellation);
        var image = new ContainerDisk(request.Name, request.Spec.Machine.Arch, sha256, layer.Length);

        using var file = new HashedFile(request.Path);
        file.Append(TarMember.File("oci-layout", OciManifest.Layout.Json));
        file.Append(TarMember.File("index.json", image.Index.Json));
        file.Append(TarMember.File(BlobName(image.Manifest.Sha256), image.Manifest.Json));
        file.Append(TarMember.File(BlobName(image.Config.Sha256), image.Config.Json));
        file.Append(new TarMember(BlobName(sha256), layer.Length).With(layer.Read(done => request.Progress((1 + done) / 2), cancellation)));
        file.Append(TarMember.EndOfArchive.Span);
        return new WrittenImage(file.Sha256());
    }

    private static string BlobName(string sha256) => $"blobs/sha256/{sha256}";
}
