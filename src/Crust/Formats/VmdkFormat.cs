using Crust.Disks;
using Crust.Formats.Headers;
using Crust.Formats.Splicing;
using Crust.Formats.Vmdk;
using Crust.Spec;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>
/// streamOptimized VMDK for vCenter, ESXi, VirtualBox and Workstation (VMware Virtual Disk Format 5.0), written by all cores.
/// </summary>
/// <param name="createDeflater">Makes a compressor; there is one for each worker.</param>
/// <param name="workers">How many grains are compressed at a time.</param>
internal sealed class VmdkFormat(Func<Deflater> createDeflater, int workers) : IImageFormat
{
    // vSphere's configuration maximums: a virtual disk of 62 TB.
    private const long Largest = 62L << 40;

    // docs/decisions/vmdk-writer.md has what other levels cost.
    public const int Level = 4;

    // Enough that no worker waits while one slow grain holds up those behind it; 130 KiB each.
    private const int SlotsPerWorker = 8;

    public VmdkFormat()
        : this(() => Deflater.Create(Level), Environment.ProcessorCount)
    {
    }

    public string Name => "vmdk";

    public string Extension => ".vmdk";

    public string MediaType => "application/x-vmdk-disk";

    public string? QemuDriver => "vmdk";

    public RegistryForm Registry => new() { ReferenceVariable = "VMDK_IMG" };

    // ddb.adapterType in the descriptor.
    public string Controller => "LSI Logic";

    public Action<ImageBytes>? HeaderCheck => VmdkHeader.Check;

    public FormatNeeds NeedsOf(BuildSpec spec) => new(ImageWeight.Compressed) { LargestDisk = Largest, Libraries = [HostLibrary.Deflate] };

    public ImageSign SignIn(ImageSample file) =>
        file.Has(0, VmdkHeader.Magic) || file.Has(0, VmdkHeader.EsxMagic) || file.Has(0, VmdkHeader.DescriptorMagic) ? ImageSign.Header : ImageSign.None;

    public bool HasTemplates => true;

    public ImageTemplate OpenTemplate(string image) => VmdkTemplate.Open(image);

    public async Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        using var disk = File.OpenHandle(request.Disk.Path);
        using var grains = new BlockReader(disk, VmdkStructure.Grain);
        using var file = new HashedFile(request.Path);
        var stream = new VmdkStream(file, request.Disk.Size,
            sectors => VmdkDescriptor.For(sectors, request.Disk.Content, Path.GetFileName(request.Path)));
        var deflaters = Enumerable.Range(0, workers).Select(_ => createDeflater()).ToList();
        try
        {
            long done = 0;
            await OrderedPipeline.RunAsync(
                Enumerable.Range(0, workers * SlotsPerWorker).Select(_ => new VmdkGrain()),
                grain => grain.Read(grains),
                deflaters.Select<Deflater, Action<VmdkGrain>>(deflater => grain => grain.Compress(deflater)),
                grain =>
                {
                    stream.Append(grain);
                    done += VmdkStructure.Grain;
                    request.Progress(Math.Min(1, (double)done / request.Disk.Allocated));
                },
                request.Cores,
                cancellation);
        }
        finally
        {
            deflaters.ForEach(deflater => deflater.Dispose());
        }

        stream.Finish();
        return new WrittenImage(file.Sha256());
    }
}
