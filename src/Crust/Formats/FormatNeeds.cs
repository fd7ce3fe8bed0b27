using System.Collections.Immutable;
using Crust.Tools;

namespace Crust.Formats;

/// <summary>About how large an image is, against the installed disk's data.</summary>
public enum ImageWeight
{
    /// <summary>All of the data; nothing where the file system can share blocks between copies.</summary>
    Copied,

    /// <summary>All of the data.</summary>
    Raw,

    /// <summary>What is left of the data when it is compressed.</summary>
    Compressed,
}

/// <summary>What an image takes of the host, for checks and estimates before anything is done.</summary>
/// <param name="Weight">About how large it is.</param>
internal sealed record FormatNeeds(ImageWeight Weight)
{
    /// <summary>The largest disk that it can hold, in bytes; null for any that a spec allows.</summary>
    public long? LargestDisk { get; init; }

    /// <summary>The format of the image that is written first and wrapped; null for none.</summary>
    public string? Wraps { get; init; }

    /// <summary>Programs that are started beside qemu-img.</summary>
    public ImmutableArray<string> Tools { get; init; } = [];

    public ImmutableArray<HostLibrary> Libraries { get; init; } = [];

    /// <summary>Whether Crust's own live system is in it.</summary>
    public bool TakesAppliance { get; init; }

    /// <summary>Whether the disk in it is unpacked to be booted.</summary>
    public bool IsUnpackedToBoot { get; init; }
}
