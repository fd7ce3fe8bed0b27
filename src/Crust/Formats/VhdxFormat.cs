using Crust.Disks;
using Crust.Formats.Headers;
using Crust.Formats.Vhdx;
using Crust.Storage;
using Microsoft.Win32.SafeHandles;

namespace Crust.Formats;

/// <summary>
/// A dynamic VHDX ([MS-VHDX]) for Hyper-V. Written by Crust and not by qemu-img, whose ids and log are others in each run. Blocks of zeros are absent.
/// </summary>
internal sealed class VhdxFormat : IImageFormat
{
    private const int ProbeLength = 4096;

    public string Name => "vhdx";

    public string Extension => ".vhdx";

    public string MediaType => "application/x-vhdx-disk";

    public string QemuDriver => "vhdx";

    public Action<ImageBytes>? HeaderCheck => VhdxHeader.Check;

    public ImageSign SignIn(ImageSample file) => file.Has(0, VhdxHeader.Magic) ? ImageSign.Header : ImageSign.None;

    public Task<WrittenImage> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        using var disk = File.OpenHandle(request.Disk.Path);
        // Whole MiB: not all readers (7-Zip) take a disk that ends within one.
        var size = (request.Disk.Size + VhdxStructure.Unit - 1) / VhdxStructure.Unit * VhdxStructure.Unit;
        var table = new VhdxTable(size);
        // The table stands before the blocks. Finding those that hold anything is quick: it is in their first bytes, mostly.
        using (var probed = new BlockReader(disk, table.BlockSize))
        {
            var probe = new byte[ProbeLength];
            while (probed.TryFind(out var block))
            {
                cancellation.ThrowIfCancellationRequested();
                if (HasData(disk, block * table.BlockSize, table.BlockSize, probe))
                {
                    table.Add(block);
                }
            }
        }

        using var file = new HashedFile(request.Path);
        file.Append(VhdxStructure.Headers(table.Bytes.Length, ContentUuid.Of(request.Disk, "vhdx file"), ContentUuid.Of(request.Disk, "vhdx data")));
        file.Append(new byte[VhdxStructure.Unit]);
        file.Append(VhdxStructure.Metadata(size, table.BlockSize, ContentUuid.Of(request.Disk, "vhdx disk")));
        file.Append(table.Bytes);
        AppendBlocks(disk, table, file, request, cancellation);
        return Task.FromResult(new WrittenImage(file.Sha256()));
    }

    private static void AppendBlocks(SafeFileHandle disk, VhdxTable table, HashedFile file, FormatRequest request, CancellationToken cancellation)
    {
        using var blocks = new BlockReader(disk, table.BlockSize);
        var data = new byte[table.BlockSize];
        for (long done = data.Length; blocks.TryRead(data, out var block); done += data.Length)
        {
            cancellation.ThrowIfCancellationRequested();
            if (table.Contains(block))
            {
                file.Append(data);
            }

            request.Progress(Math.Min(1, (double)done / request.Disk.Allocated));
        }
    }

    private static bool HasData(SafeFileHandle disk, long offset, int length, byte[] probe)
    {
        for (var end = offset + length; offset < end; offset += probe.Length)
        {
            var read = disk.ReadUpTo(probe, offset);
            if (probe.AsSpan(0, read).ContainsAnyExcept((byte)0))
            {
                return true;
            }
        }

        return false;
    }
}
