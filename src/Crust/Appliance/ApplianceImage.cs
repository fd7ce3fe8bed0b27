using System.Collections.Immutable;
using Crust.Spec;

namespace Crust.Appliance;

/// <summary>The appliance, ready to boot.</summary>
/// <param name="Kernel">The kernel's path.</param>
/// <param name="Initramfs">The initramfs' path: cpio (newc), zstd.</param>
/// <param name="Key">What decided its content, 64 hex digits.</param>
internal sealed record ApplianceImage(string Kernel, string Initramfs, string Key)
{
    public required Arch Arch { get; init; }

    /// <summary>
    /// What its kernel is told wherever it runs. A PC's busy host may be late with the emulated timer, and Linux takes it for broken and panics; self-tests of
    /// ciphers that nobody uses here take a second, and may never end in an emulated machine with two CPUs.
    /// </summary>
    public ImmutableArray<string> KernelArguments => ["loglevel=4", "mitigations=off", .. Arch is Arch.Amd64 ? new[] { "no_timer_check" } : [], "cryptomgr.notests"];

    /// <summary>The serial consoles, as arguments of its kernel. Boards for arm64 have one kind of serial port or the other; QEMU's has the last.</summary>
    public ImmutableArray<string> SerialConsoles => Arch is Arch.Amd64 ? ["console=ttyS0,115200"] : ["console=ttyS0,115200", "console=ttyAMA0,115200"];

    /// <summary>The folder with the boot loaders' files, by the names in `builder/appliance/boot.list`.</summary>
    public required string BootFolder { get; init; }
}
