namespace Crust.Formats;

/// <summary>streamOptimized VMDK for vCenter, ESXi, VirtualBox and Workstation (VMware Virtual Disk Format 5.0).</summary>
internal sealed class VmdkFormat : IImageFormat
{
    public string Name => "vmdk";

    public string Extension => ".vmdk";

    public string QemuDriver => "vmdk";

    public async Task<string?> WriteAsync(FormatRequest request, CancellationToken cancellation)
    {
        await QemuImg.ConvertAsync(request, ["-O", "vmdk", "-o", "adapter_type=lsilogic,subformat=streamOptimized,compat6"], cancellation);
        return null;
    }
}
