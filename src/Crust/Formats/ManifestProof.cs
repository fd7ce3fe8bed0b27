using System.Text.Json.Serialization;

namespace Crust.Formats;

/// <summary>How an image was proven to boot.</summary>
/// <param name="Firmware">`bios`, `uefi` or `uefi-secure`.</param>
/// <param name="Expected">What was waited for and seen.</param>
/// <param name="Seconds">From QEMU's start until then.</param>
internal sealed record ManifestProof(string Firmware, string Expected, double Seconds)
{
    /// <summary>What the disk hung on: `virtio`, `scsi`, `sata` or `nvme`; null in manifests of a Crust that didn't tell. Nothing is proven of other controllers.</summary>
    public string? DiskBus { get; init; }

    /// <summary>Who logged in, and the checks; not there if nobody did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestLogin? Ssh { get; init; }
}
