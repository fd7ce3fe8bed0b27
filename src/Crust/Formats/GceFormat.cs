using System.IO.Compression;
using System.Text;
using Crust.Disks;
using Crust.Formats.Gce;
using Crust.Formats.Headers;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Formats;

/// <summary>
/// What Google Compute Engine imports: `disk.raw`, a whole number of GiB, in a tar archive of GNU's old format, compressed with gzip by all cores
/// (Google Cloud, "Manually import boot disks", "Requirements for the image file").
/// </summary>
internal sealed class GceFormat : IImageFormat
{
    private const long Unit = 1L << 30;
    private const string DiskName = "disk.raw";

    // Enough that no worker waits while one slow piece holds up those behind it; half a MiB each.
    private const int SlotsPerWorker = 4;

    public string Name => "gce";

    public string Extension => ".tar.gz";

    public string MediaType => "application/gzip";

    public string QemuDriver => QemuDisk.Raw;

    // Compute Engine's first and second generation of machine types have virtio-scsi for boot disks, and nothing else.
    public DiskBus? Bus => DiskBus.Scsi;

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Compressed) { Libraries = [HostLibrary.Deflate], IsUnpackedToBoot = true };

    public ImageSign SignIn(ImageSample file) => file.Has(0, [0x1f, 0x8b]) ? ImageSign.Compression : ImageSign.None;

    public Task<QemuDisk> OpenAsync(string image, string scratch, ToolBox tools, CancellationToken cancellation) => Task.Run(() =>
    {
        var path = Path.Combine(scratch, $"{Path.GetFileName(image)}.{Guid.NewGuid():N}.raw");
        using var gzip = new GZipStream(new FileStream(RegularFile.Open(image, "image", "name an image: a regular file"), FileAccess.Read), CompressionMode.Decompress);
        try
        {
            var tar = new TarArchive(gzip, TarArchive.UnknownLength);
            var entry = tar.Next();
            if (entry is not { Name: DiskName, Kind: TarKind.File })
            {
                throw new InvalidDataException(entry is null ? "it is empty"
                    : $"it begins with {ImageBytes.Printable(Encoding.UTF8.GetBytes(entry.Name))}{(entry.Kind is TarKind.File ? "" : ", which is no file")}");
            }

            Unpack(tar, new SparseDisk(path, image), entry.Length, cancellation);
            return new QemuDisk(QemuDriver, path);
        }
        catch (InvalidDataException e)
        {
            throw new CrustException(FailureKind.BadInput, $"The image isn't a compressed tar archive with {DiskName} in it: {e.Message}", image, "give an image that Crust has made", e);
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"The image can't be read: {e.Message}", image, "check the drive that it is on", e);
        }
    }, cancellation);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        var workers = Environment.ProcessorCount;
        using var disk = File.OpenHandle(request.Disk.Path);
        using var pieces = new BlockReader(disk, GzipPiece.Length);
        using var file = new HashedFile(request.Path);
        var deflaters = Enumerable.Range(0, workers + 1).Select(_ => Deflater.Create(VmdkFormat.Level)).ToList();
        try
        {
            var stream = new GzipTar(file, deflaters[workers], new TarMember(DiskName, (request.Disk.Size + Unit - 1) / Unit * Unit) { IsOldGnu = true });
            long done = 0;
            await OrderedPipeline.RunAsync(
                Enumerable.Range(0, workers * SlotsPerWorker).Select(_ => new GzipPiece()),
                piece => piece.Read(pieces),
                deflaters.Take(workers).Select<Deflater, Action<GzipPiece>>(deflater => piece => piece.Compress(deflater)),
                piece =>
                {
                    stream.Append(piece);
                    done += GzipPiece.Length;
                    request.Progress(Math.Min(1, (double)done / request.Disk.Allocated));
                },
                request.Cores,
                cancellation);
            stream.Finish();
            return new WrittenImage(file.Sha256());
        }
        finally
        {
            deflaters.ForEach(deflater => deflater.Dispose());
        }
    }

    private static void Unpack(TarArchive content, SparseDisk disk, long length, CancellationToken cancellation)
    {
        using (disk)
        {
            var buffer = new byte[GzipPiece.Length];
            for (int read; (read = content.Read(buffer)) > 0;)
            {
                cancellation.ThrowIfCancellationRequested();
                disk.Append(buffer.AsSpan(0, read));
            }

            disk.Finish(length);
        }
    }
}
