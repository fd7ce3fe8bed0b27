using Crust.Isos;

namespace Crust.Tests;

/// <summary>An installer that boots under both firmwares.</summary>
internal static class InstallerSample
{
    public static readonly InstallerIso Iso = new()
    {
        Path = "/iso/edge.iso",
        Sha256 = new('d', 64),
        Size = 700L << 20,
        VolumeId = "EDGE",
        BootsBios = true,
        BootsUefi = true,
        BaseName = "edge",
        IsReference = false,
        Source = "https://example.org/edge.iso",
    };
}
