using Crust.Disks;
using Crust.Formats.Qcow2;

namespace Crust.Formats.Splicing;

/// <summary>A small image that has some blocks of a disk, and names the image that has the others.</summary>
internal static class ImageOverlay
{
    /// <summary>What the name of its file ends with.</summary>
    public const string Extension = ".qcow2";

    /// <summary>The longest name of the image below, in bytes.</summary>
    public const int LongestName = Qcow2Overlay.LongestName;

    /// <param name="image">The image below.</param>
    /// <param name="driver">QEMU's driver that reads it.</param>
    /// <param name="name">Its path, seen from the overlay's folder.</param>
    /// <param name="patches">What the overlay has.</param>
    /// <exception cref="InvalidDataException">The image is damaged where the patches are.</exception>
    /// <exception cref="IOException">The image can't be read.</exception>
    public static Splice Of(ImageTemplate image, string driver, string name, IReadOnlyList<DiskPatch> patches) => Qcow2Overlay.Of(image, driver, name, patches);
}
