using Crust.Attestation;
using Crust.Disks;
using Crust.Formats;
using Crust.Images;
using Crust.Reports;
using Crust.Spec;
using Crust.Storage;
using Crust.Tests.Images;
using Crust.Tests.Reports;
using Crust.Tools;
using Crust.Verification;
using Serilog.Core;

namespace Crust.Tests.Attestation;

/// <summary>A folder with two images, a sparse img with its block map and a vmdk, with what says where they come from.</summary>
internal sealed class AttestedImages : IDisposable
{
    public const string Sbom = "{ \"a list\": \"of packages\" }\n";

    private readonly Folders _folders;

    public AttestedImages()
    {
        Shelf = new ImagesFolder(Path.Combine(Folder, "images"));
        _folders = new Folders { Images = Shelf.Path, Cache = Path.Combine(Folder, "cache"), Runtime = Folder, Builder = Folder };
        Directory.CreateDirectory(_folders.Cache);
        Attestor = new Attestor(Signer, TimeProvider.System);
        Check = new ImageCheck(Tools, _folders);
    }

    public static ToolBox Tools => new(HostEnvironment.Read().SearchPath, Logger.None) { Environment = HostEnvironment.Read().Variables };

    public string Folder { get; } = Directory.CreateTempSubdirectory("crust-attest-").FullName;

    public ImagesFolder Shelf { get; }

    public Signer Signer => new(Tools, _folders);

    public Attestor Attestor { get; }

    public ImageCheck Check { get; }

    public string Img => Shelf.ImagePath("edge.img");

    public string Vmdk => Shelf.ImagePath("edge.vmdk");

    public string Provenance => Shelf.ImagePath("edge.provenance.json");

    public async Task<Manifest> PlaceAsync(BuildSpec spec, CancellationToken cancellation, string? sbom = Sbom)
    {
        using var drafts = Shelf.CreateDrafts();
        var img = Path.Combine(drafts.Path, "edge.img");
        await using (var file = File.Create(img))
        {
            file.SetLength(64 << 20);
            file.Position = 5 << 20;
            file.Write(new byte[100].Select((_, i) => (byte)(i + 1)).ToArray());
        }

        BmapFile.Write(await BlockMap.OfAsync(img, cancellation), img + ".bmap");
        var vmdk = Path.Combine(drafts.Path, "edge.vmdk");
        await File.WriteAllTextAsync(vmdk, "a vmdk", cancellation);
        var images = new[]
        {
            new ProvenImage(new DraftImage(ImageFormats.Named("img"), img, 64 << 20, null, "") { BlockMap = img + ".bmap" }, null),
            new ProvenImage(new DraftImage(ImageFormats.Named("vmdk"), vmdk, 6, await SparseHash.ComputeAsync(vmdk, cancellation), "by=hand") { Library = "libdeflate 0123456789ab" }, null),
        };
        return await Shelf.PlaceAsync(ManifestSample.Full with { Images = [], Sbom = null }, images, manifest => Attestor.WriteAsync(manifest, spec, sbom, drafts.Path, cancellation), cancellation);
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
