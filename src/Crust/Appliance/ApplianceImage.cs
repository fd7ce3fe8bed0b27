namespace Crust.Appliance;

/// <summary>The appliance, ready to boot.</summary>
/// <param name="Kernel">The kernel's path.</param>
/// <param name="Initramfs">The initramfs' path: cpio (newc), zstd.</param>
/// <param name="Key">What decided its content, 64 hex digits.</param>
public sealed record ApplianceImage(string Kernel, string Initramfs, string Key)
{
    /// <summary>The folder with the boot loaders' files, by the names in `builder/appliance/boot.list`.</summary>
    public required string BootFolder { get; init; }
}
