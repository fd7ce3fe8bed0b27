using System.Collections.Immutable;
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

    /// <summary>What kind of sign was seen: `login-prompt`, `cloud-init`, `ssh-banner`, `ssh-login`, or the `text` that was asked for; null in manifests of a Crust that didn't tell.</summary>
    public string? Sign { get; init; }

    /// <summary>The image that was booted, in whose place this one was found to hold the same disk, byte for byte; null if this one was booted itself.</summary>
    public string? SameAs { get; init; }

    /// <summary>The disk controller that the image itself asks for, of which nothing is proven, since QEMU has none of the kind; null where it asks for none.</summary>
    public string? UnprovenController { get; init; }

    /// <summary>Who logged in, and the checks; not there if nobody did.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public ManifestLogin? Ssh { get; init; }
}

/// <summary>What came of booting an image that showed neither that it is up nor that it has failed.</summary>
/// <param name="Firmware">What it was booted under.</param>
/// <param name="DiskBus">What the disk hung on.</param>
/// <param name="Deadline">How long it was given, in seconds.</param>
/// <param name="What">What came of it, as a sentence without a full stop.</param>
internal sealed record ManifestUnproven(string Firmware, string DiskBus, double Deadline, string What)
{
    /// <summary>The image that was booted, in whose place this one was found to hold the same disk, byte for byte; null if this one was booted itself.</summary>
    public string? SameAs { get; init; }

    /// <summary>The last lines that it showed, for the report of the build that booted it.</summary>
    [JsonIgnore]
    public ImmutableArray<string> LastLines { get; init; } = [];
}
