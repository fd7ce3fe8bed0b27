using System.Collections.Immutable;
using Crust.Machines;
using Crust.Spec;

namespace Crust.Seeds;

/// <summary>A seed ready for the machine: files that hold secrets, and are there as long as the installer runs.</summary>
internal sealed class SeedDelivery : IDisposable
{
    /// <summary>The seed volume; null for none.</summary>
    public string? Volume { get; init; }

    public SeedFileSystem FileSystem { get; init; }

    /// <summary>What the guest finds in fw_cfg.</summary>
    public ImmutableArray<FirmwareFile> FirmwareFiles { get; init; } = [];

    /// <summary>The ISO to boot in place of the installer's own; null for that.</summary>
    public string? Iso { get; init; }

    /// <summary>An archive that is appended to the installer's initramfs; null for none.</summary>
    public string? Initramfs { get; init; }

    /// <summary>What the installer's kernel is told; empty for nothing.</summary>
    public string KernelArguments { get; init; } = "";

    public void Dispose()
    {
        foreach (var file in new[] { Volume, Initramfs, Iso }.OfType<string>().Concat(FirmwareFiles.Select(file => file.Path)))
            File.Delete(file);
    }
}
