using System.Collections.Immutable;

namespace Crust.Appliance;

/// <summary>The appliance, ready to boot.</summary>
/// <param name="Kernel">The kernel's path.</param>
/// <param name="Initramfs">The initramfs' path: cpio (newc), zstd.</param>
/// <param name="Key">What decided its content, 64 hex digits.</param>
public sealed record ApplianceImage(string Kernel, string Initramfs, string Key)
{
    /// <summary>
    /// What its kernel is told wherever it runs. A busy host's emulated timer may be late, and Linux takes it for broken and panics; self-tests of ciphers that
    /// nobody uses here take a second, and may never end in an emulated machine with two CPUs.
    /// </summary>
    public static ImmutableArray<string> KernelArguments { get; } = ["loglevel=4", "mitigations=off", "no_timer_check", "cryptomgr.notests"];

    /// <summary>The folder with the boot loaders' files, by the names in `builder/appliance/boot.list`.</summary>
    public required string BootFolder { get; init; }
}
