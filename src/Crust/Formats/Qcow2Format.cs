namespace Crust.Formats;

/// <summary>
/// QEMU's own format (docs/interop/qcow2 in QEMU's sources), compressed with zstd by many threads; clusters of zeros
/// are absent. Read by QEMU 5.1 and newer.
/// </summary>
internal sealed class Qcow2Format : IImageFormat
{
    public string Name => "qcow2";

    public string Extension => ".qcow2";

    public string? QemuDriver => "qcow2";

    // No -W: written out of order, the clusters' places would differ from run to run.
    public async Task<string?> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        await QemuImg.ConvertAsync(request, ["-O", "qcow2", "-c", "-o", "compression_type=zstd", "-m", "16"], cancellation);
        return null;
    }
}
